/** A client of Shaddock's frontend servers, and of Pomelo's hybridconnector. */
import type { ParsedProtos } from "./protobuf.js";
import { WireError } from "./wire.js";

export { WireError };

/** Milliseconds until a request is given up, unless said otherwise. */
export declare const defaultRequestTimeoutMs: number;
/** Milliseconds from the start of a connection to the end of its handshake, unless said otherwise. */
export declare const defaultConnectTimeoutMs: number;

export type ShaddockErrorCode =
    | "connect"
    | "handshake"
    | "client_too_old"
    | "timeout"
    | "heartbeat"
    | "closed"
    | "kicked"
    | "protocol"
    | "crypto"
    /** Of the chat: the gate knows no connector. */
    | "no_server"
    /** Of the chat: the name is taken in the room. */
    | "duplicate"
    /** Of the chat: any other answer that is not a success. */
    | "refused";

export declare class ShaddockError extends Error {
    constructor(code: ShaddockErrorCode, message: string, details?: { reason?: string; reply?: any; cause?: unknown });
    readonly name: "ShaddockError";
    readonly code: ShaddockErrorCode;
    /** Of `kicked`. */
    readonly reason?: string;
    /** What the server said. */
    readonly reply?: any;
    readonly cause?: unknown;
}

/** Whether there is no reconnect after it. */
export declare function isFinal(error: ShaddockError): boolean;

/** What is used of a WebSocket; the browser's fits, and so does that of the package ws. */
export interface SocketLike {
    binaryType: string;
    send(data: Uint8Array): void;
    close(): void;
    addEventListener(type: string, listener: (event: any) => void): void;
}

export interface Timers {
    set(callback: () => void, delayMs: number): any;
    clear(handle: any): void;
}

/** The built-in timers. */
export declare const plainTimers: Readonly<Timers>;

/** Where texts are kept; a `Map<string, string>` is one. */
export interface Memory {
    get(key: string): string | null | undefined;
    set(key: string, value: string): unknown;
    delete(key: string): unknown;
}

/** Local storage in a page, else as long as the process lives. */
export declare const defaultMemory: Memory;

/** The browser's local storage. Where that cannot be had, is full or is refused, as long as the page lives. */
export declare function storageMemory(open?: () => {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
    removeItem(key: string): void;
}): Memory;

export interface ReconnectOptions {
    /** Before the first try; default 500. */
    firstDelayMs?: number;
    /** By which each delay is longer than the one before; default 2. */
    factor?: number;
    /** No delay is longer; default 30000. */
    maxDelayMs?: number;
    /** Tries in a row before giving up; default no end. */
    attempts?: number;
    /** 0 to 1: the part of a delay that is left to chance; default 0.5. */
    jitter?: number;
    /** A connection that lasts so long ends the row: the next delay is the first again; default 10000. */
    healthyMs?: number;
}

export declare const defaultReconnect: Readonly<Required<ReconnectOptions>>;

/** With which bodies are signed. */
export interface SigningKey {
    /** The modulus, in hexadecimal. */
    n: string;
    /** The public exponent. */
    e: number;
    /** RSASSA-PKCS1-v1_5 with SHA-256 over the text's UTF-8 bytes, in hexadecimal. */
    sign(text: string): string | Promise<string>;
}

/**
 * Makes a key that lives as long as the page or process.
 * @param subtle a `SubtleCrypto`; default: the global one. Node 18: `webcrypto.subtle` of `node:crypto`
 */
export declare function signingKey(subtle?: object): Promise<SigningKey>;

/** What all connections have in common. */
export interface ConnectionOptions {
    /** Given to the application's handshake hook. */
    user?: any;
    /** Whether and how a lost connection is opened again; default false. */
    reconnect?: boolean | ReconnectOptions;
    /** Where each server's dictionary and protos are remembered; null: nowhere. Default {@link defaultMemory}. */
    memory?: Memory | null;
    /** Signs every body, for servers with the option `crypto`; true: with a key of its own. Default false. */
    crypto?: boolean | SigningKey;
    /** Default: the global one. */
    WebSocket?: new (url: string) => SocketLike;
    requestTimeoutMs?: number;
    connectTimeoutMs?: number;
    timers?: Timers;
}

export interface ClientOptions extends ConnectionOptions {
    /** `ws://host:port` or `wss://host:port` */
    url: string;
}

/** What the server said in the handshake. */
export interface HandshakeReply {
    sys: {
        /** Seconds; absent: none. */
        heartbeat?: number;
        useDict?: boolean;
        dict?: Record<string, number>;
        routeToCode?: Record<string, number>;
        codeToRoute?: Record<string, string>;
        dictVersion?: string;
        useProto?: boolean;
        protos?: { client: ParsedProtos; server: ParsedProtos; version: string };
        [key: string]: unknown;
    };
    user?: any;
}

/** A try to come back is waited for. */
export interface Reconnecting {
    /** Counted from 1. */
    attempt: number;
    delayMs: number;
    /** Why: of the loss, or of the try before. */
    error: ShaddockError;
}

export interface ClientEvents {
    open: HandshakeReply;
    push: { route: string; body: any };
    kick: { reason: string };
    error: ShaddockError;
    disconnect: ShaddockError;
    reconnecting: Reconnecting;
    reconnect: HandshakeReply;
    close: ShaddockError;
}

export type ClientState = "idle" | "connecting" | "open" | "reconnecting" | "closed";

/** One connection at a time to one frontend server. */
export declare class Client {
    constructor(options: ClientOptions);
    get state(): ClientState;
    /** Tried once; the option `reconnect` is about connections that were there. Rejects with {@link ShaddockError}. */
    connect(): Promise<HandshakeReply>;
    /** Rejects with {@link ShaddockError}, or {@link WireError} for what does not fit. An answer with an error code is an answer. */
    request<Answer = any>(route: string, body?: any, options?: { timeoutMs?: number }): Promise<Answer>;
    /** @throws {ShaddockError | WireError} */
    notify(route: string, body?: any): void;
    /** @returns ends the listening */
    on<Event extends keyof ClientEvents>(event: Event, listener: (argument: ClientEvents[Event]) => void): () => void;
    /** @returns ends the listening */
    onPush<Body = any>(route: string, listener: (body: Body) => void): () => void;
    /** While reconnecting: tries again now. */
    retry(): void;
    close(): void;
}
