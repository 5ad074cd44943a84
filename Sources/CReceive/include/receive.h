// How much a thread reads from its sockets before it looks at others again.
//
// libcurl reads from a connection until nothing more has come or something is to be handed over, and asks nobody whether it may go on. A
// server that sends faster than it is read, and nothing to be handed over, keeps it reading for as long as the server likes. So this module
// takes recv()'s place in the program, which is by what libcurl reads a socket: the dynamic linker looks in the program first. A thread
// that has begun a turn is told EAGAIN at its end, as if nothing more had come; epoll, asked by level, says right away that there is more.
// Every other thread's recv() is the system's.
//
// And it takes the kernel's word for when what is read had come (SO_TIMESTAMPNS, socket(7)): a thread that is busy reads it late, and that is
// no time of the server's.
#pragma once
#include <stdint.h>

// The calling thread may read so many bytes until the turn ends.
void rf_turn_begins(long bytes);
void rf_turn_ends(void);

// Has the kernel note when each packet of a TCP connection comes. Where it can't, there is no note.
void rf_note_arrivals(int descriptor);

// When the last of what was read last in the calling thread's turn had come: nanoseconds of the realtime clock, 0 when nobody noted it.
int64_t rf_arrival(void);

// The bytes that were read in the calling thread's turn, of which this hasn't told yet.
long rf_turn_takes(void);
