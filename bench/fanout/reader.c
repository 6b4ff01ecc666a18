/* The client of the fan-out bench: many Engine.IO WebSockets in one thread, which count the broadcasts they receive.
 *
 * `reader PORT CONTROL`: PORT is the server's on 127.0.0.1, CONTROL the path of a UNIX socket: the server makes one
 * broadcast for each byte it reads there. Commands come as lines on stdin; one line of JSON on stdout answers each:
 *
 *   open COUNT                       connect COUNT more sockets, each through the WebSocket and Socket.IO handshakes
 *   saturate PID WINDOW WARM SECONDS keep WINDOW broadcasts under way; count for SECONDS after WARM seconds. The next
 *                                    one is asked for when all sockets together have received as much as one more makes
 *   pace PID RATE WARM SECONDS       RATE broadcasts per second; latency from the trigger to each socket's frame
 *   idle SECONDS                     answer pings only
 *
 * PID is the server's process, whose CPU clock (all threads, user and system) is read at both ends of the interval.
 * A broadcast is a text message that starts with `42`; what it says is looked at only by `pace`, for `"version":`.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PROGRAM "reader"
#include "measuring.h"

enum { HEAD = 160, AT_ONCE = 64, BUFFER = 256 * 1024, EVENTS = 256 };
enum stage { CONNECTING, UPGRADING, OPENING, JOINING, READY };

/* What a browser sends, without its offer to compress. The key, and the answer to it, are the examples of RFC 6455. */
static const char REQUEST[] =
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
    "Pragma: no-cache\r\nCache-Control: no-cache\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36\r\n"
    "Upgrade: websocket\r\nOrigin: http://127.0.0.1\r\nSec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,vi;q=0.8\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
static const char ACCEPT[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
static const char CONNECT[] = "40", PONG[] = "3";

/* `head` holds the first bytes of a frame until they are enough to know it; `rest` are its bytes still to come. */
struct socket_state {
    int fd;
    enum stage stage;
    uint32_t head_length;
    uint64_t rest;
    int is_broadcast;
    uint64_t version;
    unsigned char head[HEAD];
};

static struct socket_state **sockets;
static size_t socket_count, ready_count, socket_room;
static int poller, control, port;
static char control_path[100];
static unsigned char buffer[BUFFER];
static char line[512];

static uint64_t delivered;
static int timed;
static uint64_t first_version, triggered, *triggered_at;

static void watch(int fd, void *state, uint32_t events, int operation) {
    struct epoll_event event = {.events = events, .data.ptr = state};
    if (epoll_ctl(poller, operation, fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

/* A frame of at most 125 bytes, masked as a client's must be. */
static void send_frame(int fd, unsigned char first, const unsigned char *payload, size_t length) {
    unsigned char frame[6 + 125] = {first, 0x80 | (unsigned char)length, 0x12, 0x34, 0x56, 0x78};
    for (size_t i = 0; i < length; i++)
        frame[6 + i] = payload[i] ^ frame[2 + i % 4];
    if (send(fd, frame, 6 + length, MSG_NOSIGNAL) != (ssize_t)(6 + length))
        fail("send: %s", strerror(errno));
}

static void send_text(int fd, const char *text) {
    send_frame(fd, 0x81, (const unsigned char *)text, strlen(text));
}

static void trigger(size_t count) {
    char bytes[1024] = {0};
    for (size_t i = 0; i < count && triggered_at; i++)
        triggered_at[triggered + i] = now_ns();
    triggered += count;
    for (; count; count -= count < sizeof bytes ? count : sizeof bytes)
        if (send(control, bytes, count < sizeof bytes ? count : sizeof bytes, MSG_NOSIGNAL) < 0)
            fail("the control socket: %s", strerror(errno));
}

/* ---- frames ---- */

static uint64_t version_in(const unsigned char *text, size_t length) {
    static const char name[] = "\"version\":";
    const unsigned char *found = memmem(text, length, name, sizeof name - 1);
    if (!found)
        fail("a broadcast without a version in its first %d bytes: %.*s", HEAD, (int)length, text);
    return strtoull((const char *)found + sizeof name - 1, NULL, 10);
}

static void got_broadcast(uint64_t version) {
    delivered++;
    if (!timed)
        return;
    if (!first_version) /* what the first one of this interval says; one server counts across intervals */
        first_version = version;
    uint64_t index = version - first_version;
    if (index >= triggered)
        fail("version %llu was never triggered", (unsigned long long)version);
    add_latency(now_ns() - triggered_at[index]);
}

static void got_text(struct socket_state *socket, const unsigned char *text, size_t known, size_t length) {
    socket->is_broadcast = 0;
    if (socket->stage == READY && known >= 2 && text[0] == '4' && text[1] == '2') {
        socket->is_broadcast = 1;
        socket->version = timed ? version_in(text, known) : 0;
    } else if (length == 1 && text[0] == '2') {
        send_text(socket->fd, PONG);
    } else if (socket->stage == OPENING && known && text[0] == '0') {
        socket->stage = JOINING;
        send_text(socket->fd, CONNECT);
    } else if (socket->stage == JOINING && known >= 3 && !memcmp(text, "40{", 3)) {
        socket->stage = READY;
        ready_count++;
    } else {
        fail("unexpected message: %.*s", (int)known, text);
    }
}

/* How many bytes of a frame must be there to know it: header and the payload up to HEAD. Sets the header's length. */
static size_t needed(const unsigned char *head, size_t length, size_t *header, uint64_t *payload) {
    *header = 2;
    if (length < 2)
        return 2;
    *payload = head[1];
    if (head[1] == 126) {
        *header = 4;
        if (length < 4)
            return 4;
        *payload = (uint64_t)head[2] << 8 | head[3];
    } else if (head[1] > 126) {
        fail("a masked frame or one over 64 KB");
    }
    return *header + *payload < HEAD ? *header + *payload : HEAD;
}

static void got_bytes(struct socket_state *socket, const unsigned char *data, size_t length) {
    while (length || (!socket->rest && socket->is_broadcast)) {
        if (socket->rest) {
            size_t skipped = socket->rest < length ? socket->rest : length;
            socket->rest -= skipped, data += skipped, length -= skipped;
        }
        if (socket->rest)
            return;
        if (socket->is_broadcast) {
            socket->is_broadcast = 0;
            got_broadcast(socket->version);
            continue;
        }
        if (!length)
            return;
        const unsigned char *head = data;
        size_t known = length, header;
        uint64_t payload = 0;
        if (socket->head_length) { /* the slow path: a frame of which only the start was in the last read */
            size_t kept = socket->head_length, more = HEAD - kept < length ? HEAD - kept : length;
            memcpy(socket->head + kept, data, more);
            head = socket->head, known = kept + more;
        }
        size_t enough = needed(head, known, &header, &payload);
        if (known < enough) {
            if (!socket->head_length)
                memcpy(socket->head, data, length);
            socket->head_length = (uint32_t)known;
            return;
        }
        size_t used = enough - socket->head_length;
        socket->head_length = 0;
        socket->rest = header + payload - enough;
        if (head[0] == 0x81)
            got_text(socket, head + header, enough - header, payload);
        else if (head[0] == 0x89)
            send_frame(socket->fd, 0x8a, head + header, payload);
        else if (head[0] == 0x88)
            fail("the server closed a socket");
        else
            fail("unexpected frame: opcode %x", head[0]);
        data += used, length -= used;
    }
}

static void got_upgrade(struct socket_state *socket, size_t length) {
    unsigned char *end = memmem(buffer, length, "\r\n\r\n", 4);
    if (!end || strncmp((char *)buffer, "HTTP/1.1 101", 12) || !memmem(buffer, length, ACCEPT, sizeof ACCEPT - 1))
        fail("no upgrade to WebSocket: %.*s", (int)length, buffer);
    socket->stage = OPENING;
    end += 4;
    got_bytes(socket, end, (size_t)(buffer + length - end));
}

static void readable(struct socket_state *socket) {
    ssize_t length = recv(socket->fd, buffer, sizeof buffer, 0);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0)
        fail("the server dropped a connection: %s", length ? strerror(errno) : "end of stream");
    if (socket->stage == UPGRADING)
        got_upgrade(socket, (size_t)length);
    else
        got_bytes(socket, buffer, (size_t)length);
}

static void writable(struct socket_state *socket) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error)
        fail("connect: %s", strerror(error));
    if (send(socket->fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) != sizeof REQUEST - 1)
        fail("send: %s", strerror(errno));
    socket->stage = UPGRADING;
    watch(socket->fd, socket, EPOLLIN, EPOLL_CTL_MOD);
}

static void step(int timeout_ms) {
    static struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct socket_state *socket = events[i].data.ptr;
        if (socket->stage == CONNECTING)
            writable(socket);
        else
            readable(socket);
    }
}

/* ---- commands ---- */

static void connect_one(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket_count == socket_room) {
        socket_room = socket_room ? 2 * socket_room : 1024;
        if (!(sockets = realloc(sockets, socket_room * sizeof *sockets)))
            fail("no memory");
    }
    struct socket_state *state = calloc(1, sizeof *state);
    int one = 1;
    if (!state || (state->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) < 0)
        fail("socket %zu: %s", socket_count + 1, strerror(errno));
    setsockopt(state->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(state->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
        fail("connect: %s", strerror(errno));
    watch(state->fd, state, EPOLLOUT, EPOLL_CTL_ADD);
    sockets[socket_count++] = state;
}

static void connect_control(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(control_path) >= sizeof address.sun_path)
        fail("the path of the control socket is too long: %s", control_path);
    strcpy(address.sun_path, control_path);
    if ((control = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0 ||
        connect(control, (struct sockaddr *)&address, sizeof address))
        fail("the control socket %s: %s", control_path, strerror(errno));
}

static void open_sockets(size_t count) {
    uint64_t started = now_ns(), last = started;
    size_t wanted = socket_count + count, before = ready_count;
    while (ready_count < wanted) {
        while (socket_count < wanted && socket_count - ready_count < AT_ONCE)
            connect_one();
        step(1000);
        if (ready_count > before)
            before = ready_count, last = now_ns();
        if (now_ns() - last > 20000000000u)
            fail("only %zu of %zu sockets are connected and none was for 20 s", ready_count, wanted);
    }
    printf("{\"sockets\": %zu, \"seconds\": %.3f}\n", ready_count, (double)(now_ns() - started) / 1e9);
}

struct reading {
    uint64_t wall, server, client, delivered;
};

static struct reading read_clocks(clockid_t server) {
    return (struct reading){now_ns(), clock_ns(server), clock_ns(CLOCK_PROCESS_CPUTIME_ID), delivered};
}

/* The shares are of one core. A client near 1 means that the figures are its own limit, not the server's. */
static void print_shares(struct reading from, struct reading to) {
    double seconds = (double)(to.wall - from.wall) / 1e9;
    uint64_t count = to.delivered - from.delivered;
    printf("{\"seconds\": %.3f, \"delivered\": %llu, \"per_second\": %.0f, \"us_per_recipient\": %.3f, "
           "\"server_share\": %.3f, \"client_share\": %.3f",
           seconds, (unsigned long long)count, (double)count / seconds,
           count ? (double)(to.server - from.server) / 1e3 / (double)count : 0.0,
           (double)(to.server - from.server) / 1e9 / seconds, (double)(to.client - from.client) / 1e9 / seconds);
}

/* Reads until all that was triggered has arrived; false when nothing came for `patience` seconds. */
static int drain(double patience) {
    uint64_t last = now_ns(), seen = delivered;
    while (delivered < triggered * ready_count) {
        step(100);
        if (delivered > seen)
            seen = delivered, last = now_ns();
        if ((double)(now_ns() - last) / 1e9 > patience)
            return 0;
    }
    return 1;
}

static void start_counting(void) {
    delivered = triggered = latency_count = first_version = 0;
}

static void saturate(int pid, unsigned window, double warm, double seconds) {
    clockid_t server = clock_of(pid);
    struct reading from = {0}, to = {0};
    uint64_t start = now_ns(), begin = start + (uint64_t)(warm * 1e9), end = begin + (uint64_t)(seconds * 1e9);
    uint64_t last = start, seen = 0;
    start_counting();
    trigger(window);
    for (;;) {
        step(100);
        uint64_t now = now_ns(), whole = delivered / ready_count;
        if (!from.wall && now >= begin)
            from = read_clocks(server);
        if (now >= end)
            break;
        if (delivered > seen)
            seen = delivered, last = now;
        if (now - last > 10000000000u)
            fail("no broadcast arrived for 10 s");
        if (triggered - whole < window)
            trigger(window - (triggered - whole));
    }
    to = read_clocks(server);
    int complete = drain(10);
    print_shares(from, to);
    printf(", \"complete\": %s}\n", complete ? "true" : "false");
}

static void pace(int pid, double rate, double warm, double seconds) {
    clockid_t server = clock_of(pid);
    uint64_t gap = (uint64_t)(1e9 / rate), start = now_ns(), due = start;
    size_t warm_count = (size_t)(warm * rate), count = warm_count + (size_t)(seconds * rate);
    int kept_up = 1;
    start_counting();
    struct reading from = read_clocks(server), to;
    if (!(triggered_at = calloc(count + 1, sizeof *triggered_at)))
        fail("no memory");
    timed = 1;
    while (triggered < count || now_ns() < due) {
        uint64_t now = now_ns();
        if (now >= due && triggered < count) {
            if (triggered == warm_count) {
                latency_count = 0;
                from = read_clocks(server);
            }
            trigger(1);
            due += gap;
        } else {
            step((int)((due - now) / 1000000) + 1);
        }
        if (triggered > delivered / ready_count + (uint64_t)(2 * rate)) {
            kept_up = 0; /* two seconds behind: the rest would only measure the length of the queue */
            break;
        }
    }
    to = read_clocks(server);
    int complete = drain(10);
    timed = 0;
    sort_latencies();
    print_shares(from, to);
    printf(", \"samples\": %zu, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"kept_up\": %s}\n",
           latency_count, quantile_ms(0.5), quantile_ms(0.99), quantile_ms(1), kept_up && complete ? "true" : "false");
    free(triggered_at);
    triggered_at = NULL;
}

static void idle(double seconds) {
    for (uint64_t end = now_ns() + (uint64_t)(seconds * 1e9); now_ns() < end;)
        step(100);
    printf("{}\n");
}

static void obey(char *command) {
    int pid;
    unsigned window;
    double rate, warm, seconds;
    size_t count;
    if (sscanf(command, "open %zu", &count) == 1)
        open_sockets(count);
    else if (sscanf(command, "saturate %d %u %lf %lf", &pid, &window, &warm, &seconds) == 4)
        saturate(pid, window, warm, seconds);
    else if (sscanf(command, "pace %d %lf %lf %lf", &pid, &rate, &warm, &seconds) == 4)
        pace(pid, rate, warm, seconds);
    else if (sscanf(command, "idle %lf", &seconds) == 1)
        idle(seconds);
    else
        fail("unknown command: %s", command);
    fflush(stdout);
}

int main(int count, char **arguments) {
    if (count != 3)
        fail("usage: reader PORT CONTROL");
    port = atoi(arguments[1]);
    snprintf(control_path, sizeof control_path, "%s", arguments[2]);
    if ((poller = epoll_create1(EPOLL_CLOEXEC)) < 0)
        fail("epoll_create1: %s", strerror(errno));
    connect_control();
    /* Between commands nothing is read but stdin: heartbeats are due after 20 s and more, commands come sooner. */
    while (fgets(line, sizeof line, stdin))
        obey(line);
    return 0;
}
