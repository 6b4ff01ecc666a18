/* The limit of the fan-out bench: per broadcast one `send()` of the whole frame to each socket, and nothing else.
 *
 * `send_loop CONTROL MESSAGE`: listens on a free port of 127.0.0.1, which it prints, and on the UNIX socket CONTROL. For
 * each byte read there it takes the event in the file MESSAGE, writes the next version over the digits that follow
 * `"version":`, and sends it. It answers the handshakes of the bench's own reader only, without looking at them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_FDS = 1 << 20, EVENTS = 256, LISTENER = -1, CONTROL_LISTENER = -2, CONTROL = -3 };
enum { VERSION_DIGITS = 10 };

static const char UPGRADED[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static const char OPENED[] = "0{\"sid\":\"0000000000000000000\",\"upgrades\":[],\"pingInterval\":25000,"
                             "\"pingTimeout\":20000,\"maxPayload\":65536}";
static const char CONNECTED[] = "40{\"sid\":\"0000000000000000000\"}";

static int poller;
static int fds[MOST_FDS], fd_count;
static char greeted[MOST_FDS];
static char frame[65536];
static char *version;
static size_t frame_length;

static void fail(const char *what) {
    fprintf(stderr, "send_loop: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void watch(int fd, int64_t mark) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)mark};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event))
        fail("epoll_ctl");
}

static void send_all(int fd, const char *data, size_t length) {
    while (length) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent < 0)
            fail("send");
        data += sent, length -= (size_t)sent;
    }
}

static void read_message(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file)
        fail(path);
    memcpy(frame + 4, "42", 2); /* an Engine.IO message with a Socket.IO event */
    size_t length = 2 + fread(frame + 6, 1, sizeof frame - 6, file);
    fclose(file);
    length -= frame[3 + length] == '\n';
    frame[0] = (char)0x81, frame[1] = 126, frame[2] = (char)(length >> 8), frame[3] = (char)length;
    frame_length = 4 + length;
    if (length < 126 || length == sizeof frame - 4 || !(version = memmem(frame, frame_length, "\"version\":", 10)))
        fail("a message without a version, or of the wrong size");
    version += 10;
}

static void broadcast(void) {
    for (char *digit = version + VERSION_DIGITS - 1; ++*digit > '9'; digit--)
        *digit = '0';
    for (int i = 0; i < fd_count; i++)
        send_all(fds[i], frame, frame_length);
}

static void send_text(int fd, const char *text, size_t length) {
    char data[256] = {(char)0x81, (char)length};
    size_t header = 2;
    if (length > 125)
        data[1] = 126, data[2] = 0, data[3] = (char)length, header = 4;
    memcpy(data + header, text, length);
    send_all(fd, data, header + length);
}

static void accept_one(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), one = 1;
    if (fd < 0 || fd >= MOST_FDS)
        fail("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(fd, fd);
}

/* The reader sends its request, then waits; sends `40`, then waits: one read is one of the two. */
static void answer(int fd) {
    char data[4096];
    ssize_t length = recv(fd, data, sizeof data, 0);
    if (length <= 0)
        exit(0);
    if (!greeted[fd]) {
        send_all(fd, UPGRADED, sizeof UPGRADED - 1);
        send_text(fd, OPENED, sizeof OPENED - 1);
    } else if (greeted[fd] == 1) {
        send_text(fd, CONNECTED, sizeof CONNECTED - 1);
        fds[fd_count++] = fd;
    }
    greeted[fd]++;
}

int main(int count, char **arguments) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), control = socket(AF_UNIX, SOCK_STREAM, 0);
    if (count != 3 || strlen(arguments[1]) >= sizeof path.sun_path)
        fail("usage: send_loop CONTROL MESSAGE");
    strcpy(path.sun_path, arguments[1]);
    read_message(arguments[2]);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 2048) ||
        bind(control, (struct sockaddr *)&path, sizeof path) || listen(control, 1))
        fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    poller = epoll_create1(EPOLL_CLOEXEC);
    watch(listener, LISTENER);
    watch(control, CONTROL_LISTENER);
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    int triggers = -1;
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int64_t mark = (int64_t)events[i].data.u64;
            char bytes[4096];
            if (mark == LISTENER) {
                accept_one(listener);
            } else if (mark == CONTROL_LISTENER) {
                watch(triggers = accept4(control, NULL, NULL, SOCK_CLOEXEC), CONTROL);
            } else if (mark == CONTROL) {
                ssize_t length = recv(triggers, bytes, sizeof bytes, 0);
                if (length <= 0)
                    return 0;
                while (length--)
                    broadcast();
            } else {
                answer((int)mark);
            }
        }
    }
}
