/** The bytes between a client and a frontend server: packages, and the messages inside data packages. */

export declare const packageType: Readonly<{ handshake: 1; ack: 2; heartbeat: 3; data: 4; kick: 5 }>;
export declare const messageType: Readonly<{ request: 0; notify: 1; response: 2; push: 3 }>;

export type PackageType = (typeof packageType)[keyof typeof packageType];
export type MessageType = (typeof messageType)[keyof typeof messageType];

/** Longest body of a package, in bytes. */
export declare const maxPackageBody: number;
/** Longest route sent as text, in bytes. */
export declare const maxRouteBytes: number;

/** Bytes that break the rules of the wire, or a value that cannot be put into them. */
export declare class WireError extends Error {
    constructor(message: string);
    readonly name: "WireError";
}

/** UTF-8; a lone surrogate becomes U+FFFD. */
export declare function toBytes(text: string): Uint8Array;
/** UTF-8; a wrong byte becomes U+FFFD. */
export declare function toText(bytes: Uint8Array): string;

export interface Package {
    type: PackageType;
    /** A view into the bytes that were split. */
    body: Uint8Array;
}

/** @throws {WireError} unknown type, or body too long */
export declare function encodePackage(type: PackageType, body?: Uint8Array): Uint8Array;
/** Cuts whole packages off the front, and says what stopped the cutting. */
export declare function splitPackages(bytes: Uint8Array): { packages: Package[]; then: "end" | "need_more" | "bad_type" };

export interface Message {
    type: MessageType;
    /** 0 where the type has none. */
    id: number;
    /** Text, a code of the dictionary, or null for a response. */
    route: string | number | null;
    /** A view into the bytes that were decoded. */
    body: Uint8Array;
}

/** @throws {WireError} a value that does not fit */
export declare function encodeMessage(message: {
    type: MessageType;
    id?: number;
    route?: string | number;
    body?: Uint8Array;
}): Uint8Array;
/** @throws {WireError} */
export declare function decodeMessage(bytes: Uint8Array): Message;
