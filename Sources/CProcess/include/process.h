// What a process sets up for itself before it does anything else, where the calls are variadic in C or have to be safe within a signal.
#pragma once

// Opens /dev/null for each of the descriptors 0, 1 and 2 that is closed: else the first file or socket that is opened would have its number,
// and what is meant for a terminal would be written into it.
void rf_open_standard_descriptors(void);

// prctl(2), PR_SET_DUMPABLE: 0 keeps the kernel from writing the memory, where the secrets are, to a core dump, and other processes of this
// user from reading it.
void rf_set_dumpable(int is_dumpable);

// Has a fatal signal end the process also where something handles it, as Swift's backtracer does: its handler returns, so that the faulting
// instruction is run again with no handler in place. A signal that was sent (kill(2), the service manager's watchdog) has no such
// instruction, and the process would go on.
void rf_end_by_sent_signals(void);
