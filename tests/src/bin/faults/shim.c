/* Stands between a process and the C library: a clock that a scenario can set, and a disk that fails as it is told.
 *
 * XIANMENG_FAULTS_CONTROL names a file of four 64-bit numbers, which is mapped and can be changed while the process
 * runs: milliseconds that the wall clock is off; what happens to writes (see shim.rs); in how many writes; how often it
 * has happened. XIANMENG_FAULTS_PATH is the beginning of the paths of the files that it concerns.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
    volatile int64_t clock_ms, fault, countdown, happened;
};

enum { NONE, WRITE_FAILS, SYNC_FAILS, TORN };

static struct control *control;
static const char *concerned;

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("XIANMENG_FAULTS_CONTROL");
    concerned = getenv("XIANMENG_FAULTS_PATH");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) control = mapped;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    REAL(clock_gettime);
    int result = real(clock, time);
    int is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (result == 0 && control && is_wall && control->clock_ms) {
        int64_t nanoseconds = time->tv_nsec + control->clock_ms % 1000 * 1000000;
        int64_t carried = nanoseconds < 0 ? -1 : nanoseconds / 1000000000;
        time->tv_sec += control->clock_ms / 1000 + carried;
        time->tv_nsec = nanoseconds - carried * 1000000000;
    }
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *place) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (place) *place = now.tv_sec;
    return now.tv_sec;
}

static int is_concerned(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0 || !concerned) return 0;
    path[length] = 0;
    /* What the process says on standard error lies there, too. */
    return strncmp(path, concerned, strlen(concerned)) == 0 && !strstr(path, "/node.log");
}

/* Whether it is this call's turn. From then on it is every call's turn: a disk that fails goes on failing. */
static int is_due(int64_t fault, int file) {
    if (!control || control->fault != fault || !is_concerned(file)) return 0;
    if (__sync_fetch_and_sub(&control->countdown, 1) > 1) return 0;
    __sync_fetch_and_add(&control->happened, 1);
    return 1;
}

#define FAIL_IF(fault, file) \
    if (is_due(fault, file)) { errno = EIO; return -1; }

ssize_t write(int file, const void *bytes, size_t count) {
    REAL(write);
    FAIL_IF(WRITE_FAILS, file)
    if (is_due(TORN, file)) { real(file, bytes, count / 2); raise(SIGKILL); }
    return real(file, bytes, count);
}

ssize_t writev(int file, const struct iovec *pieces, int count) {
    REAL(writev);
    FAIL_IF(WRITE_FAILS, file)
    if (is_due(TORN, file)) { real(file, pieces, (count + 1) / 2); raise(SIGKILL); }
    return real(file, pieces, count);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
    REAL(pwrite);
    FAIL_IF(WRITE_FAILS, file)
    if (is_due(TORN, file)) { real(file, bytes, count / 2, at); raise(SIGKILL); }
    return real(file, bytes, count, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) {
    REAL(pwrite64);
    FAIL_IF(WRITE_FAILS, file)
    if (is_due(TORN, file)) { real(file, bytes, count / 2, at); raise(SIGKILL); }
    return real(file, bytes, count, at);
}

int fsync(int file) {
    REAL(fsync);
    FAIL_IF(SYNC_FAILS, file)
    return real(file);
}

int fdatasync(int file) {
    REAL(fdatasync);
    FAIL_IF(SYNC_FAILS, file)
    return real(file);
}

int sync_file_range(int file, off64_t from, off64_t count, unsigned flags) {
    REAL(sync_file_range);
    FAIL_IF(SYNC_FAILS, file)
    return real(file, from, count, flags);
}
