internal import CMalloc

/// Tells the C library's allocator to give memory back. Before other threads are started, because each begins with a heap of its own.
///
/// By itself it keeps a heap for each of some threads, and raises its own bounds as it sees large blocks come and go, such as a list of
/// 48 MB every minute: after a start with a hundred thousand targets it held 277 MiB, and 198 with one heap and these bounds. Two heaps
/// rather than one, so that the engine's thread need not wait for whoever decodes such a list.
func giveMemoryBack() {
    mallopt(M_ARENA_MAX, 2)
    mallopt(M_TRIM_THRESHOLD, 1 << 20)
    mallopt(M_MMAP_THRESHOLD, 256 << 10)
}

/// Gives back what was freed in the middle of the heaps, where a new list leaves many holes: without it the daemon grew from 200 to 300 MiB
/// over ten lists of a hundred thousand. Takes 1 to 20 ms of such a heap, so only for what comes once in a while.
func releaseFreedMemory() { malloc_trim(0) }
