/*
 * floor PORT: the least that one core pays the kernel for a fan-out.
 *
 * A WebSocket server that can do just what fanload asks of it: it confirms a
 * change to its sender, frames it once, and calls send() once a client. What
 * other servers take is told as a multiple of what this one takes.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 65536
#define SHORT 126 /* bytes of a frame whose length is one byte */

static int open_clients[CLIENTS], count;
static char has_shaken_hands[CLIENTS];

static void leave(int fd)
{
    for (int i = 0; i < count; i++)
        if (open_clients[i] == fd) {
            open_clients[i] = open_clients[--count];
            break;
        }
    has_shaken_hands[fd] = 0;
    close(fd);
}

/* The answer to the one Sec-WebSocket-Key that fanload sends (RFC 6455, 1.3). */
static void shake_hands(int fd)
{
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\n"
                                 "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    has_shaken_hands[fd] = 1;
    open_clients[count++] = fd;
}

static size_t frame(uint8_t *to, const char *text, int size)
{
    to[0] = 0x81;
    to[1] = size;
    memcpy(to + 2, text, size);
    return size + 2;
}

static void change(int sender, uint8_t *message)
{
    uint8_t *mask = message + 2, *payload = message + 6, out[SHORT + 2];
    char answer[SHORT];
    int size = message[1] & 127;
    for (int i = 0; i < size; i++)
        payload[i] ^= mask[i & 3];
    int length = snprintf(answer, sizeof answer, "%.*s, \"info\": [\"KEY\"]}", size - 1,
                          (char *)payload);
    send(sender, out, frame(out, answer, length), MSG_NOSIGNAL);
    size_t total = frame(out, (char *)payload, size);
    for (int i = 0; i < count; i++)
        send(open_clients[i], out, total, MSG_NOSIGNAL);
}

int main(int words, char **word)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN}, events[256];
    int one = 1, listening = socket(AF_INET, SOCK_STREAM, 0), poller = epoll_create1(0);
    if (words != 2)
        return 2;
    address.sin_port = htons(atoi(word[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listening, (struct sockaddr *)&address, sizeof address) || listen(listening, 4096))
        return 1;
    event.data.fd = listening;
    epoll_ctl(poller, EPOLL_CTL_ADD, listening, &event);
    for (;;) {
        int ready = epoll_wait(poller, events, 256, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            uint8_t data[4096];
            if (fd == listening) {
                event.data.fd = accept(listening, NULL, NULL);
                setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                epoll_ctl(poller, EPOLL_CTL_ADD, event.data.fd, &event);
                continue;
            }
            ssize_t got = recv(fd, data, sizeof data, 0);
            if (got <= 0)
                leave(fd);
            else if (!has_shaken_hands[fd])
                shake_hands(fd);
            else if (got >= 6)
                change(fd, data);
        }
    }
}
