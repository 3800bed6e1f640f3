// ws, on Node: send() to each client.
const { WebSocket, WebSocketServer } = require("ws");

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: Number(process.argv[2]),
  path: "/api/v1",
  perMessageDeflate: false,
  backlog: 4096,
});

server.on("connection", (client) => {
  client.on("message", (message) => {
    const change = JSON.parse(message);
    if (!Object.values(change).every((v) => Number.isInteger(v) && v >= 0 && v <= 100)) return;
    client.send(JSON.stringify({ ...change, info: Object.keys(change) }));
    const text = JSON.stringify(change);
    for (const other of server.clients) {
      if (other.readyState === WebSocket.OPEN) other.send(text);
    }
  });
});
