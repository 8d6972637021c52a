/** Bodies in Pomelo's dialect of protobuf. */

/** How deep messages may be nested. */
export declare const maxMessageDepth: number;

/** A field as the handshake describes it. */
export interface ParsedField {
    option: "required" | "optional" | "repeated";
    /** uInt32, sInt32, int32, float, double, string or a message's name. */
    type: string;
    tag: number;
}

/** Fields by their names; besides them `__messages`, the nested messages by theirs, and `__tags`. */
export interface ParsedMessage {
    [field: string]: ParsedField | Record<string, unknown>;
}

/** Messages by their routes; shared ones under `message <Name>`. */
export interface ParsedProtos {
    [route: string]: ParsedMessage;
}

/** Bodies of the routes of one direction. */
export interface ProtoCodec {
    /** Whether the route's bodies are in the dialect. */
    has(route: string): boolean;
    /** @throws {WireError} naming the field: not an object, a required field missing, a value that does not fit */
    encode(route: string, body?: object): Uint8Array;
    /** @throws {WireError} a tag without a field, anything cut off or overrun, too large or too deep */
    decode(route: string, bytes: Uint8Array): any;
}

/**
 * Makes a codec of `sys.protos.client` or `sys.protos.server` of a handshake.
 * @throws {WireError} not of that form
 */
export declare function protoCodec(protos: ParsedProtos): ProtoCodec;
