/** The chat application on the client's side. */
import type { ConnectionOptions, Reconnecting, ShaddockError } from "./shaddock.js";

/** The target that means all members of the room. */
export declare const everyone: "*";

export interface ChatOptions extends ConnectionOptions {
    /** `ws://host:port` of the gate */
    gateUrl: string;
}

export interface ChatMessage {
    from: string;
    /** {@link everyone} or a name. */
    target: string;
    text: string;
}

export interface ChatEvents {
    message: ChatMessage;
    online: string;
    offline: string;
    members: string[];
    kick: { reason: string };
    disconnect: ShaddockError;
    reconnecting: Reconnecting;
    reconnect: string[];
    close: ShaddockError;
}

/** One person in one room. Promises reject with {@link ShaddockError}. */
export declare class Chat {
    constructor(options: ChatOptions);
    /** Empty before the first login. */
    get name(): string;
    /** Empty before the first login. */
    get room(): string;
    /** Oneself included, in the order in which they came. */
    get members(): string[];
    get isConnected(): boolean;
    /** @returns ends the listening */
    on<Event extends keyof ChatEvents>(event: Event, listener: (argument: ChatEvents[Event]) => void): () => void;
    /** @returns the members, oneself included */
    login(name: string, room: string): Promise<string[]>;
    /** @returns the members there, oneself included */
    switchRoom(room: string): Promise<string[]>;
    send(text: string, target: string): Promise<void>;
    /** While coming back: tries again now. */
    retry(): void;
    leave(): void;
}

/** Where the connector is that the gate named. */
export declare function connectorUrl(gateUrl: string, host: string, port: number): string;
