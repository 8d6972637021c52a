/** A server that takes whatever an attack sends and answers as little as the attack needs to go on. Says its port. */
import { createServer } from "node:net";
import { PackageReader, encodePackage, messageType, packageType } from "../clients/adapters/wire.mjs";

const welcome = encodePackage(packageType.handshake, Buffer.from('{"code":200,"sys":{"heartbeat":3}}'));

const server = createServer((socket) => {
    const reader = new PackageReader();
    let answered = 0;
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
        // The first requests are those that an attack waits for.
        if (answered > 3) {
            return;
        }
        for (const { type, body } of reader.read(bytes)) {
            if (type === packageType.handshake) {
                socket.write(welcome);
            } else if (type === packageType.data && ++answered <= 3) {
                // Of the first requests the id is one byte, the second.
                socket.write(encodePackage(packageType.data, Buffer.from([messageType.response << 1, body[1], 0x7b, 0x7d])));
            }
        }
    });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
