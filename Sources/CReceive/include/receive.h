// How much a thread reads from its sockets before it looks at others again, and when what it sends and reads went and came.
//
// libcurl reads from a connection until nothing more has come or something is to be handed over, and asks nobody whether it may go on. A
// server that sends faster than it is read, and nothing to be handed over, keeps it reading for as long as the server likes. So this module
// takes recv()'s place in the program, which is by what libcurl reads a socket: the dynamic linker looks in the program first. A thread
// that has begun a turn is told EAGAIN at its end, as if nothing more had come; epoll, asked by level, says right away that there is more.
// Every other thread's recv() is the system's.
//
// And it takes the kernel's word for when what is read had come (SO_TIMESTAMPNS, socket(7)): a thread that is busy reads it late, and that is
// no time of the server's. send() is ours, too, because nobody else says when a round begins. The thread that makes the transfers keeps a
// timeline for each of its sockets.
#pragma once
#include <stdint.h>
#include "timeline.h"

// The calling thread may read so many bytes until the turn ends.
void rf_turn_begins(long bytes);
void rf_turn_ends(void);

// The bytes that were read in the calling thread's turn, of which this hasn't told yet.
long rf_turn_takes(void);

// The timeline is of a new socket of the calling thread, over which a connection is about to be asked for. The kernel notes from here on when
// each packet comes. Where it can't, what is read has come when it is read.
void rf_timeline_opens(rf_timeline *timeline, int descriptor);

// The connection of a timeline stands. Said more than once, or of a connection that stood before, it changes nothing.
void rf_timeline_stands(rf_timeline *timeline);

// The next bytes that the calling thread sends in this turn are the request: over the timeline's socket where that is known, else over a
// connection that was kept, which becomes the timeline's.
void rf_timeline_requests(rf_timeline *timeline);

// The transfer goes on over another connection, of which nothing is known yet.
void rf_timeline_restarts(rf_timeline *timeline);

// The calling thread forgets it.
void rf_timeline_ends(rf_timeline *timeline);

// Since when something waits for this process on the timeline's socket: bytes, the end of the connection, or a connection that this process
// has not seen stand. 0: nothing waits. The deadline where nobody knows since when.
int64_t rf_timeline_waits_since(const rf_timeline *timeline);

// The calling thread makes no more transfers.
void rf_timelines_end(void);
