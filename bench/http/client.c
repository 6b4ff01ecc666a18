/* The client of the HTTP bench: keep-alive connections, each with one request under way, in one thread.
 *
 * `client PORT PID REQUESTS COUNT CONNECTIONS WARM SECONDS`: the file REQUESTS holds COUNT requests of the same length,
 * which the connections share out. Responses must be a 200 with a Content-Length. After WARM seconds it counts for
 * SECONDS, and prints a line of JSON. PID is the server's process, whose CPU clock is read at both ends of the interval.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROGRAM "client"
#include "measuring.h"

enum { BUFFER = 16 * 1024, EVENTS = 256 };

struct connection {
    int fd;
    const char *request;
    uint64_t asked_at;
    size_t length;
    char response[BUFFER];
};

static char *requests;
static size_t request_length;
static int poller, counting;
static uint64_t answered;
static char first_body[BUFFER];

static void read_requests(const char *path, size_t count) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        fail("%s: %s", path, strerror(errno));
    size_t size = (size_t)ftell(file);
    rewind(file);
    if (!(requests = malloc(size)) || fread(requests, 1, size, file) != size || !count || size % count)
        fail("%s does not hold %zu requests of the same length", path, count);
    fclose(file);
    request_length = size / count;
}

static void ask(struct connection *one) {
    one->length = 0;
    one->asked_at = now_ns();
    if (send(one->fd, one->request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length)
        fail("send: %s", strerror(errno));
}

static struct connection *opened(int port, const char *request) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct connection *one = calloc(1, sizeof *one);
    int yes = 1;
    if (!one || (one->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0 ||
        connect(one->fd, (struct sockaddr *)&address, sizeof address))
        fail("connect: %s", strerror(errno));
    setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, one->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
    one->request = request;
    return one;
}

/* The length of the whole response, or 0 as long as its head is not complete. */
static size_t whole_length(struct connection *one) {
    one->response[one->length] = 0;
    char *end = strstr(one->response, "\r\n\r\n");
    if (!end)
        return 0;
    if (strncmp(one->response, "HTTP/1.1 200 ", 13))
        fail("no 200: %s", one->response);
    char *field = strcasestr(one->response, "\r\ncontent-length:");
    if (!field || field > end)
        fail("no Content-Length: %s", one->response);
    return (size_t)(end + 4 - one->response) + strtoul(field + 17, NULL, 10);
}

static void readable(struct connection *one) {
    ssize_t length = recv(one->fd, one->response + one->length, BUFFER - 1 - one->length, 0);
    if (length <= 0)
        fail("the server dropped a connection: %s", length ? strerror(errno) : "end of stream");
    one->length += (size_t)length;
    size_t whole = whole_length(one);
    if (whole >= BUFFER || (whole && one->length > whole))
        fail("a response of %zu bytes, of which %zu have come", whole, one->length);
    if (!whole || one->length < whole)
        return;
    if (!first_body[0])
        strcpy(first_body, strstr(one->response, "\r\n\r\n") + 4);
    if (counting) {
        answered++;
        add_latency(now_ns() - one->asked_at);
    }
    ask(one);
}

static void go_on_until(uint64_t end) {
    static struct epoll_event events[EVENTS];
    for (uint64_t now; (now = now_ns()) < end;) {
        int count = epoll_wait(poller, events, EVENTS, (int)((end - now) / 1000000) + 1);
        for (int i = 0; i < count; i++)
            readable(events[i].data.ptr);
    }
}

static void print_string(const char *text) {
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

int main(int count, char **arguments) {
    if (count != 8)
        fail("usage: client PORT PID REQUESTS COUNT CONNECTIONS WARM SECONDS");
    int port = atoi(arguments[1]), pid = atoi(arguments[2]);
    size_t request_count = strtoul(arguments[4], NULL, 10), connections = strtoul(arguments[5], NULL, 10);
    double warm = atof(arguments[6]), seconds = atof(arguments[7]);
    clockid_t server = clock_of(pid);
    read_requests(arguments[3], request_count);
    if ((poller = epoll_create1(EPOLL_CLOEXEC)) < 0)
        fail("epoll_create1: %s", strerror(errno));
    for (size_t i = 0; i < connections; i++)
        ask(opened(port, requests + i % request_count * request_length));
    go_on_until(now_ns() + (uint64_t)(warm * 1e9));
    counting = 1;
    uint64_t start = now_ns(), of_server = clock_ns(server), of_client = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    go_on_until(start + (uint64_t)(seconds * 1e9));
    double elapsed = (double)(now_ns() - start);
    of_server = clock_ns(server) - of_server, of_client = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - of_client;
    sort_latencies();
    printf("{\"per_second\": %.1f, \"server_us\": %.3f, \"server_share\": %.4f, \"client_share\": %.4f, "
           "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, \"answered\": %llu, \"body\": ",
           (double)answered / elapsed * 1e9, answered ? (double)of_server / 1e3 / (double)answered : 0.0,
           (double)of_server / elapsed, (double)of_client / elapsed, quantile_ms(0.5), quantile_ms(0.99),
           quantile_ms(1), (unsigned long long)answered);
    print_string(first_body);
    printf("}\n");
    return 0;
}
