// A power failure for SQLite databases, by LD_PRELOAD: of what a program writes to files whose names end in .db or -wal only that is
// kept in a second folder which the program has asked the kernel to make durable. The files there are what a disk would have after the
// power failed at that moment, in the worst case that a correct disk allows: whatever wasn't synced is gone.
//
//   RANGEFINDER_DURABLE   the second folder; without it nothing is done
//
// Only the calls that SQLite's unix VFS makes are seen: pwrite64, ftruncate64, fdatasync and fsync, close (https://www.sqlite.org/vfs.html).
// A file that is removed stays in the second folder, as it may on a disk until its folder is synced.
#pragma once
