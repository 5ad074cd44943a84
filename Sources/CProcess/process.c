#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

void rf_open_standard_descriptors(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
        // open(2) gives the lowest number that is free, and those below are open by now.
        // Not for writing: output that goes nowhere was not written, and whoever writes it hears of that.
        int opened = open("/dev/null", O_RDONLY);
        if (opened < 0 || opened == descriptor) continue;
        dup2(opened, descriptor);
        close(opened);
    }
}

void rf_set_dumpable(int is_dumpable) { prctl(PR_SET_DUMPABLE, is_dumpable ? 1 : 0, 0, 0, 0); }

// Those that Swift's backtracer handles.
static const int fatal[] = {SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
#define FATAL_COUNT (sizeof fatal / sizeof fatal[0])
static struct sigaction before[FATAL_COUNT];

static void handle(int number, siginfo_t *info, void *context) {
    int saved = errno;
    // si_code: by a process, and not by the kernel for a fault. What others send is meant to end this one whatever state its threads are
    // in; a backtracer stops them all first, and may wait for one for ever.
    int isSent = info->si_code <= 0;
    for (size_t i = 0; i < FATAL_COUNT; i++) {
        if (fatal[i] != number || (isSent && info->si_pid != getpid())) continue;
        if (before[i].sa_flags & SA_SIGINFO)
            before[i].sa_sigaction(number, info, context);
        else
            before[i].sa_handler(number);
    }
    // It stays blocked until this returns, and is delivered then.
    if (isSent) {
        signal(number, SIG_DFL);
        kill(getpid(), number);
    }
    errno = saved;
}

void rf_end_by_sent_signals(void) {
    for (size_t i = 0; i < FATAL_COUNT; i++) {
        struct sigaction *known = &before[i];
        if (sigaction(fatal[i], NULL, known) != 0) continue;
        if (!(known->sa_flags & SA_SIGINFO) && (known->sa_handler == SIG_DFL || known->sa_handler == SIG_IGN)) continue;
        struct sigaction ours = *known;
        ours.sa_flags = (known->sa_flags | SA_SIGINFO) & ~(SA_RESETHAND | SA_NODEFER);
        ours.sa_sigaction = handle;
        sigaction(fatal[i], &ours, NULL);
    }
}
