/** As library.ts, with the browser's types. */
import { Client, storageMemory } from "shaddock-web";

export const client = new Client({ url: "ws://127.0.0.1:3050", WebSocket, memory: storageMemory(() => sessionStorage) });
