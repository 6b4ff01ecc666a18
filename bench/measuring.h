/* What the clients written in C share: a way to give up, clocks, and latencies. Define PROGRAM, the client's name. */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint32_t *latencies; /* µs */
static size_t latency_count, latency_room;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, PROGRAM ": ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now))
        fail("a clock cannot be read: %s", strerror(errno));
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

static clockid_t clock_of(int pid) {
    clockid_t clock;
    int error = clock_getcpuclockid(pid, &clock);
    if (error)
        fail("the CPU clock of process %d: %s", pid, strerror(error));
    return clock;
}

static void add_latency(uint64_t nanoseconds) {
    if (latency_count == latency_room) {
        latency_room = latency_room ? 2 * latency_room : 1 << 16;
        if (!(latencies = realloc(latencies, latency_room * sizeof *latencies)))
            fail("no memory");
    }
    latencies[latency_count++] = (uint32_t)(nanoseconds / 1000);
}

static int by_size(const void *left, const void *right) {
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static void sort_latencies(void) { qsort(latencies, latency_count, sizeof *latencies, by_size); }

static double quantile_ms(double share) {
    if (!latency_count)
        return 0;
    size_t index = (size_t)(share * (double)latency_count);
    return latencies[index < latency_count ? index : latency_count - 1] / 1e3;
}
