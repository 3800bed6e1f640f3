/*
 * fanload: the clients of a benchmark.
 *
 * Opens CLIENTS WebSocket connections to 127.0.0.1, lets the first one log in
 * and change an integer key, and takes the time from the sending of each change
 * until the last of them has read its broadcast.
 *
 *   fanload -p PORT [-n CLIENTS] [-r RATE | -c] [-t SECONDS] [-k KEY]
 *           [-l LOGIN] [-d DEAF] [-s]
 *
 *   -r RATE    open loop: so many changes a second, whatever comes back (20)
 *   -c         closed loop: the next change leaves when all have the last one
 *   -t SECONDS how long changes are made (5)
 *   -k KEY     what is changed: a key that takes 1 to 100 (brightness)
 *   -l LOGIN   what the first client sends before all else, a JSON object
 *   -d DEAF    so many more connections ask for a lot, and read nothing (0)
 *   -s         TLS; the certificate is not looked at
 *
 * It is told when to go on through stdin, and says on stdout how far it is:
 *
 *   stdout "connected"    all are connected, the first is logged in
 *   stdin  a line         go on; until then pings are answered
 *   stdout "ready"        the deaf are connected too, and have fallen behind
 *   stdin  a line         go on
 *   stdout a JSON object  the changes are made, this is the result
 *   stdin  its end        end; until then the connections stay open
 *
 * A change carries a number from 1 to 100, the key's value. One that has not
 * reached everyone when its number comes up again, or within a second of the
 * end, counts as lost.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif

#define NUMBERS 100
#define BUFFER 65536 /* no message may be larger */
#define EVENTS 512
#define STDIN UINT32_MAX
#define DEAF_KEYS 120
#define DEAF_MESSAGES 100
#define GRACE 1.0  /* seconds for the last changes to arrive */
#define SETTLE 1.0 /* seconds for the deaf to fall behind */

typedef struct {
    int fd;
    int length; /* of what is in the buffer */
    uint8_t *buffer;
#ifdef WITH_TLS
    SSL *ssl;
#endif
} Client;

typedef struct {
    double sent;
    int waiting; /* clients that have not got it; 0: none, or it is lost */
} Change;

static int port, clients = 50, deaf, closed_loop, tls;
static double rate = 20, seconds = 5;
static const char *login;
static char key[64] = "\"brightness\":"; /* as it is in a message */

static Client *all;
static int poller, authenticated;
static int commands; /* lines that were read from stdin */
static Change pending[NUMBERS + 1];
static int unfinished; /* changes that somebody still waits for */
static double *times;  /* of the changes that have arrived, seconds */
static long changes, arrived, lost, deliveries;
static long long bytes;

static void fail(const char *what)
{
    fprintf(stderr, "fanload: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void complain(const char *what)
{
    fprintf(stderr, "fanload: %s\n", what);
    exit(1);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* -- the connection ------------------------------------------------------- */

/* As read(2) of a socket that does not block. */
static ssize_t receive(Client *client, void *data, size_t size)
{
#ifdef WITH_TLS
    if (client->ssl) {
        int got = SSL_read(client->ssl, data, (int)size);
        if (got > 0)
            return got;
        int error = SSL_get_error(client->ssl, got);
        if (error == SSL_ERROR_ZERO_RETURN)
            return 0;
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
            errno = EAGAIN;
        return -1;
    }
#endif
    return recv(client->fd, data, size, 0);
}

/* As send(2). */
static ssize_t transmit(Client *client, const void *data, size_t size)
{
#ifdef WITH_TLS
    if (client->ssl) {
        int sent = SSL_write(client->ssl, data, (int)size);
        if (sent > 0)
            return sent;
        errno = EAGAIN;
        return -1;
    }
#endif
    return send(client->fd, data, size, MSG_NOSIGNAL);
}

/* A frame as clients must send it, masked (RFC 6455, 5.3); 0: the socket is full. */
static int send_frame(Client *client, int opcode, const void *payload, size_t size)
{
    static const uint8_t mask[4] = {0x5a, 0x17, 0xc3, 0x2e};
    uint8_t frame[1024];
    size_t head = 2;
    if (size + 8 > sizeof frame)
        complain("too long a message");
    frame[0] = 0x80 | opcode;
    if (size < 126) {
        frame[1] = 0x80 | size;
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = size >> 8;
        frame[3] = size & 0xff;
        head = 4;
    }
    memcpy(frame + head, mask, 4);
    head += 4;
    for (size_t i = 0; i < size; i++)
        frame[head + i] = ((const uint8_t *)payload)[i] ^ mask[i & 3];
    ssize_t sent = transmit(client, frame, head + size);
    if (sent < 0 && errno == EAGAIN)
        return 0;
    if (sent != (ssize_t)(head + size))
        fail("send");
    return 1;
}

static int send_text(Client *client, const char *text)
{
    return send_frame(client, 1, text, strlen(text));
}

#ifdef WITH_TLS
static void start_tls(Client *client)
{
    static SSL_CTX *context;
    if (!context) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE);
    }
    client->ssl = SSL_new(context);
    SSL_set_fd(client->ssl, client->fd);
    if (SSL_connect(client->ssl) != 1)
        complain("no TLS handshake");
}
#endif

static void shake_hands(Client *client)
{
    char text[4096];
    int size = snprintf(text, sizeof text,
                        "GET /api/v1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        "Sec-WebSocket-Version: 13\r\n\r\n",
                        port);
    if (transmit(client, text, size) != size)
        fail("handshake");
    for (size = 0; size < 4 || memcmp(text + size - 4, "\r\n\r\n", 4); size++)
        if (size == sizeof text || receive(client, text + size, 1) != 1)
            complain("no answer to the handshake");
    if (strncmp(text, "HTTP/1.1 101", 12)) {
        fprintf(stderr, "%.*s", size, text);
        complain("the handshake is refused");
    }
}

static void open_connection(Client *client, int receive_buffer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (client->fd < 0)
        fail("socket");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (receive_buffer)
        setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address))
        fail("connect");
#ifdef WITH_TLS
    if (tls)
        start_tls(client);
#endif
    shake_hands(client);
    fcntl(client->fd, F_SETFL, O_NONBLOCK);
}

/*
 * Ask for more than the server will keep, and read none of the answers: an error
 * for each of the unknown keys of each message, as many as may come at once.
 */
static void open_deaf(Client *client)
{
    char text[1000] = "{\"get\": [\"no\"";
    for (int i = 1; i < DEAF_KEYS; i++)
        sprintf(text + strlen(text), ",\"%d\"", i);
    strcat(text, "]}");
    open_connection(client, 4096);
    for (int i = 0; i < DEAF_MESSAGES; i++)
        if (!send_text(client, text))
            break;
}

/* -- what comes in -------------------------------------------------------- */

/* The number of a broadcast, -1 for any other message. */
static int number_in(const uint8_t *text, size_t size)
{
    const uint8_t *found = memmem(text, size, key, strlen(key));
    if (!found || memmem(text, size, "\"info\"", 6))
        return -1;
    int number = atoi((const char *)found + strlen(key)); /* something follows: "}" */
    return number >= 1 && number <= NUMBERS ? number : -1;
}

static void take_text(Client *client, const uint8_t *text, size_t size)
{
    if (client == all && !authenticated && memmem(text, size, "\"authenticated\"", 15)) {
        if (!memmem(text, size, "true", 4))
            complain("the login is refused");
        authenticated = 1;
        return;
    }
    int number = number_in(text, size);
    if (number < 0)
        return;
    deliveries++;
    Change *change = &pending[number];
    if (change->waiting && --change->waiting == 0) {
        times[arrived++] = now() - change->sent;
        unfinished--;
    }
}

/* Take the first frame of what has come; return its length, 0 if it is not complete. */
static size_t take_frame(Client *client, const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t length = data[1] & 127, head = 2;
    if (length == 126) {
        if (size < 4)
            return 0;
        length = data[2] << 8 | data[3];
        head = 4;
    } else if (length == 127) {
        complain("too long a frame");
    }
    if (size < head + length)
        return 0;
    switch (data[0] & 15) {
    case 1: take_text(client, data + head, length); break;
    case 8: complain("the server has closed a connection"); break;
    case 9: send_frame(client, 10, data + head, length); break;
    }
    return head + length;
}

static void read_from(Client *client)
{
    for (;;) {
        ssize_t got = receive(client, client->buffer + client->length, BUFFER - client->length);
        if (got == 0)
            complain("the server has dropped a connection");
        if (got < 0) {
            if (errno == EAGAIN)
                return;
            fail("recv");
        }
        bytes += got;
        client->length += got;
        size_t done = 0, taken;
        while ((taken = take_frame(client, client->buffer + done, client->length - done)))
            done += taken;
        client->length -= done;
        memmove(client->buffer, client->buffer + done, client->length);
        /* A plain socket is level-triggered; OpenSSL may still have something. */
        if (!tls)
            return;
    }
}

static void read_command(void)
{
    char line[64];
    if (read(0, line, sizeof line) <= 0)
        exit(0);
    commands++;
}

/* Deal with what comes; for so many seconds at most if nothing does. */
static void turn(double limit)
{
    struct epoll_event events[EVENTS];
    /* Rounded down: rather look too often than be late with a change. */
    int count = epoll_wait(poller, events, EVENTS, limit > 0 ? (int)(limit * 1000) : 0);
    for (int i = 0; i < count; i++) {
        if (events[i].data.u32 == STDIN)
            read_command();
        else
            read_from(&all[events[i].data.u32]);
    }
}

/* -- the run -------------------------------------------------------------- */

static void watch(int fd, uint32_t name)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = name};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
        fail("epoll");
}

static void connect_all(void)
{
    all = calloc(clients, sizeof *all);
    for (int i = 0; i < clients; i++) {
        open_connection(&all[i], 0);
        all[i].buffer = malloc(BUFFER + 1);
        watch(all[i].fd, i);
    }
    if (!login)
        return;
    send_text(all, login);
    for (double limit = now() + 10; !authenticated;) {
        turn(0.1);
        if (now() > limit)
            complain("no answer to the login");
    }
}

static void make_change(void)
{
    char text[128];
    int number = changes++ % NUMBERS + 1;
    Change *change = &pending[number];
    if (change->waiting) {
        lost++;
        unfinished--;
    }
    snprintf(text, sizeof text, "{%s %d}", key, number);
    change->sent = now();
    change->waiting = clients;
    unfinished++;
    if (!send_text(all, text))
        complain("the server does not read");
}

static double make_changes(void)
{
    double start = now(), next = start;
    times = calloc(10000000, sizeof *times);
    while (now() < start + seconds) {
        double wait = next - now();
        if (closed_loop ? !unfinished : wait <= 0) {
            make_change();
            next += 1 / rate;
            continue;
        }
        turn(closed_loop ? 0.1 : wait);
    }
    double took = now() - start;
    for (double limit = now() + GRACE; unfinished && now() < limit;)
        turn(0.02);
    lost += unfinished;
    return took;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The least time that so much of the changes have kept (nearest rank), in milliseconds. */
static double quantile(double share)
{
    if (!arrived)
        return -1;
    long rank = (long)(share * arrived + 0.999999);
    return times[rank < 1 ? 0 : rank - 1] * 1000;
}

static void report(double took)
{
    qsort(times, arrived, sizeof *times, ascending);
    printf("{\"changes\": %ld, \"lost\": %ld, \"deliveries\": %ld, \"seconds\": %.3f, "
           "\"bytes_per_client\": %.1f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
           changes, lost, deliveries, took, (double)bytes / clients, quantile(0.5),
           quantile(0.99), quantile(1));
    fflush(stdout);
}

static void read_options(int count, char **words)
{
    int option;
    while ((option = getopt(count, words, "p:n:r:ct:k:l:d:s")) != -1)
        switch (option) {
        case 'p': port = atoi(optarg); break;
        case 'n': clients = atoi(optarg); break;
        case 'r': rate = atof(optarg); break;
        case 'c': closed_loop = 1; break;
        case 't': seconds = atof(optarg); break;
        case 'k': snprintf(key, sizeof key, "\"%s\":", optarg); break;
        case 'l': login = optarg; break;
        case 'd': deaf = atoi(optarg); break;
        case 's': tls = 1; break;
        default: exit(2);
        }
    if (port < 1 || clients < 1 || rate <= 0)
        complain("wrong options");
#ifndef WITH_TLS
    if (tls)
        complain("built without TLS");
#endif
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* Say how far it is, and wait for a line. */
static void say(const char *text)
{
    int last = commands;
    puts(text);
    fflush(stdout);
    while (commands == last)
        turn(1);
}

int main(int count, char **words)
{
    signal(SIGPIPE, SIG_IGN);
    read_options(count, words);
    raise_file_limit();
    poller = epoll_create1(0);
    connect_all();
    watch(0, STDIN);
    say("connected");
    Client *others = calloc(deaf + 1, sizeof *others);
    for (int i = 0; i < deaf; i++)
        open_deaf(&others[i]);
    for (double limit = now() + SETTLE; deaf && now() < limit;)
        turn(0.02);
    say("ready");
    bytes = 0;
    report(make_changes());
    for (;;)
        turn(1);
}
