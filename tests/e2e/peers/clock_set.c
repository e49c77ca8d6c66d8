/* A clock that is set while a program runs (LD_PRELOAD): by so many seconds as the file CLOCK_OFFSET says. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *at)
{
    static int file = -1;
    char text[16] = "";
    int failed = (int)syscall(SYS_clock_gettime, clock, at);
    if (failed || clock != CLOCK_REALTIME)
        return failed;
    if (file < 0 && getenv("CLOCK_OFFSET"))
        file = open(getenv("CLOCK_OFFSET"), O_RDONLY | O_CLOEXEC);
    if (file >= 0 && pread(file, text, sizeof text - 1, 0) > 0)
        at->tv_sec += atol(text);
    return 0;
}
