/** Uses all that the client library exports, as TypeScript reads it; compiled by types.test.mjs, never run. */
import {
    Client, ShaddockError, WireError, defaultConnectTimeoutMs, defaultMemory, defaultReconnect, defaultRequestTimeoutMs,
    isFinal, plainTimers, signingKey, storageMemory,
} from "shaddock-web";
import type {
    ClientEvents, ClientOptions, ClientState, ConnectionOptions, HandshakeReply, Memory, Reconnecting, ReconnectOptions,
    ShaddockErrorCode, SigningKey, SocketLike, Timers,
} from "shaddock-web";
import { Chat, connectorUrl, everyone } from "shaddock-web/chat";
import type { ChatEvents, ChatMessage, ChatOptions } from "shaddock-web/chat";
import { maxMessageDepth, protoCodec } from "shaddock-web/protobuf";
import type { ParsedField, ParsedMessage, ParsedProtos, ProtoCodec } from "shaddock-web/protobuf";
import {
    decodeMessage, encodeMessage, encodePackage, maxPackageBody, maxRouteBytes, messageType, packageType, splitPackages,
    toBytes, toText,
} from "shaddock-web/wire";
import type { Message, MessageType, Package, PackageType } from "shaddock-web/wire";

declare function use(...values: unknown[]): void;

declare class NodeSocket {
    binaryType: "nodebuffer" | "arraybuffer";
    constructor(url: string, options?: object);
    send(data: Uint8Array | string, done?: (error?: Error) => void): void;
    close(code?: number): void;
    addEventListener(method: "message", listener: (event: { data: ArrayBuffer }) => void): void;
    addEventListener(method: "close", listener: (event: { code: number }) => void): void;
}

const reconnect: ReconnectOptions = { firstDelayMs: 1, factor: 2, maxDelayMs: 3, attempts: 4, jitter: 0, healthyMs: 5 };
const timers: Timers = plainTimers;
const memory: Memory = new Map<string, string>();
const common: ConnectionOptions = {
    user: { token: 1 }, reconnect, memory, WebSocket: NodeSocket, requestTimeoutMs: defaultRequestTimeoutMs,
    connectTimeoutMs: defaultConnectTimeoutMs, timers,
};
const key: SigningKey = { n: "c5", e: 65537, sign: async (text) => text };
const options: ClientOptions = { ...common, crypto: key, url: "ws://127.0.0.1:3050" };
const client = new Client(options);

export async function talk(): Promise<void> {
    const said: HandshakeReply = await client.connect();
    const heartbeat: number | undefined = said.sys.heartbeat;
    const loose = await client.request("a.b.c");
    const typed: { code: number } = await client.request<{ code: number }>("a.b.c", { x: 1 }, { timeoutMs: 1 });
    client.notify("a.b.c", { x: 1 });
    const stop: () => void = client.on("push", ({ route, body }) => `${route} ${body.anything}`);
    client.onPush<{ msg: string }>("onChat", ({ msg }) => msg.length)();
    client.on("open", ({ user }) => user?.seat);
    client.on("kick", ({ reason }) => reason.length);
    client.on("error", (error: ShaddockError) => error.code);
    client.on("disconnect", ({ code, reply, cause, reason }) => [code, reply, cause, reason]);
    client.on("reconnecting", ({ attempt, delayMs, error }: Reconnecting) => [attempt + delayMs, error.message]);
    client.on("reconnect", ({ sys }) => sys.protos?.server);
    client.on("close", ({ message }) => message);
    const state: ClientState = client.state;
    client.retry();
    stop();
    client.close();
    use(heartbeat, loose.anything, typed.code, state);
}

export async function sign(): Promise<Client> {
    return new Client({ url: "", crypto: await signingKey() });
}

export async function misuse(): Promise<void> {
    // @ts-expect-error no url
    new Client({});
    // @ts-expect-error not an option
    new Client({ url: "", retries: 3 });
    // @ts-expect-error memory of the wrong kind
    new Client({ url: "", memory: {} });
    // @ts-expect-error not a constructor
    new Client({ url: "", WebSocket: {} });
    // @ts-expect-error not an option of reconnect
    new Client({ url: "", reconnect: { delay: 1 } });
    // @ts-expect-error not a key
    new Client({ url: "", crypto: { n: 7, e: "3" } });
    // @ts-expect-error no such event
    client.on("message", () => {});
    // @ts-expect-error the event's argument is another
    client.on("kick", (error: ShaddockError) => error.code);
    // @ts-expect-error a route is text
    await client.request(7);
    // @ts-expect-error states are known
    if (client.state === "lost") { /* never */ }
    // @ts-expect-error read only
    client.state = "open";
    // @ts-expect-error no such code
    new ShaddockError("lost", "");
    // @ts-expect-error targets are said
    await new Chat({ gateUrl: "" }).send("text");
    // @ts-expect-error no gate
    new Chat({ url: "" });
    // @ts-expect-error no such type of package
    encodePackage(9);
    // @ts-expect-error no type
    encodeMessage({ route: "a" });
    // @ts-expect-error neither required, optional nor repeated
    const field: ParsedField = { option: "some", type: "string", tag: 1 };
    use(field);
}

export async function chat(): Promise<void> {
    const chatOptions: ChatOptions = { gateUrl: "ws://127.0.0.1:3014", reconnect: true, WebSocket: NodeSocket };
    const person = new Chat(chatOptions);
    const show = (names: string[]): number => names.length;
    person.on("message", ({ from, target, text }: ChatMessage) => `${from} ${target} ${text}`);
    person.on("online", (name: string) => name);
    person.on("offline", (name: string) => name);
    person.on("members", show);
    person.on("reconnect", show);
    person.on("reconnecting", ({ delayMs }) => delayMs);
    person.on("kick", ({ reason }) => reason);
    person.on("disconnect", ({ code }) => code);
    person.on("close", ({ code }) => code);
    show(await person.login("alice", "garden"));
    show(await person.switchRoom("kitchen"));
    await person.send("hello", everyone);
    const facts: [string, string, string[], boolean] = [person.name, person.room, person.members, person.isConnected];
    person.retry();
    person.leave();
    use(facts, connectorUrl("ws://a:1", "b", 2));
}

export function bytes(): void {
    const message: ParsedMessage = { v: { option: "required", type: "string", tag: 1 }, __messages: {}, __tags: { 1: "v" } };
    const protos: ParsedProtos = { "a.b.c": message };
    const codec: ProtoCodec = protoCodec(protos);
    const body: Uint8Array = codec.has("a.b.c") ? codec.encode("a.b.c", { v: "x" }) : toBytes("{}");
    codec.decode("a.b.c", body).v;
    const request: MessageType = messageType.request;
    const data: PackageType = packageType.data;
    const { packages, then } = splitPackages(encodePackage(data, encodeMessage({ type: request, id: 1, route: 7, body })));
    packages.map((one: Package): Message => decodeMessage(one.body)).forEach(({ route }) => route?.toString());
    const limits: number[] = [maxPackageBody, maxRouteBytes, maxMessageDepth, defaultReconnect.healthyMs];
    const stored: Memory = storageMemory(() => ({ getItem: () => null, setItem: () => {}, removeItem: () => {} }));
    use(then === "end", limits, toText(body), stored.get("k"), defaultMemory.delete("k"), isFinal(new ShaddockError("kicked", "", { reason: "lost" })));
}

export function failures(error: unknown): ShaddockErrorCode | string {
    if (error instanceof ShaddockError) {
        return error.code;
    }
    return error instanceof WireError ? error.name : "other";
}

export type Socket = SocketLike;
export type Events = [ClientEvents["push"]["route"], ChatEvents["members"]];
