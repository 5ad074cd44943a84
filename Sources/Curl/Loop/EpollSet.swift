internal import CCurl
internal import Glibc

/// The epoll set: which descriptors are watched for what, in libcurl's words. For the engine's thread alone.
final class EpollSet {
    struct Event {
        let descriptor: Int32
        /// CURL_CSELECT_IN and CURL_CSELECT_OUT.
        let mask: Int32
    }

    private static let batch = 256
    private let epoll: Int32
    private let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: batch)
    /// By descriptor: CURL_POLL_IN, _OUT or _INOUT; 0 where nothing is watched.
    private var interests: [Int32] = []

    init() throws(TransferFailure) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .local("epoll_create1", errno) }
    }

    deinit {
        events.deallocate()
        close(epoll)
    }

    /// `interest` as libcurl's socket callback has it. Answers an errno, 0 when it is watched.
    func watch(_ descriptor: Int32, _ interest: Int32) -> Int32 {
        guard descriptor >= 0 else { return EBADF }
        let index = Int(descriptor)
        if index >= interests.count {
            interests.append(contentsOf: repeatElement(0, count: index + 64 - interests.count))
        }
        let before = interests[index]
        if interest == CURL_POLL_REMOVE || interest == CURL_POLL_NONE {
            // Nearly always it is closed next, and leaves the set by that. One that isn't leaves it when it is ready.
            interests[index] = 0
            return 0
        }
        guard before != interest else { return 0 }
        interests[index] = interest
        var event = epoll_event()
        event.data.fd = descriptor
        if interest & CURL_POLL_IN != 0 { event.events |= EPOLLIN.rawValue }
        if interest & CURL_POLL_OUT != 0 { event.events |= EPOLLOUT.rawValue }
        if epoll_ctl(epoll, before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, descriptor, &event) == 0 { return 0 }
        // A descriptor closed and opened again between two callbacks is in the other state than the one remembered.
        let other = errno == EEXIST ? EPOLL_CTL_MOD : errno == ENOENT ? EPOLL_CTL_ADD : 0
        if other != 0, epoll_ctl(epoll, other, descriptor, &event) == 0 { return 0 }
        interests[index] = 0
        return errno
    }

    /// What the descriptor is watched for, as readiness in libcurl's words; 0 where nothing is.
    func readiness(of descriptor: Int32) -> Int32 {
        guard descriptor >= 0, Int(descriptor) < interests.count else { return 0 }
        return interests[Int(descriptor)] & (CURL_CSELECT_IN | CURL_CSELECT_OUT)
    }

    /// Waits until something is ready or the time is over; -1 waits without end. At most 256 events a call.
    ///
    /// Answers how many were.
    func wait(milliseconds: Int32, _ body: (Event) -> Void) -> Int {
        let count = Int(max(0, epoll_wait(epoll, events, Int32(Self.batch), milliseconds)))
        for index in 0..<count {
            let event = events[index]
            let descriptor = event.data.fd
            var mask: Int32 = 0
            if event.events & EPOLLIN.rawValue != 0 { mask |= CURL_CSELECT_IN }
            if event.events & EPOLLOUT.rawValue != 0 { mask |= CURL_CSELECT_OUT }
            // An error or a hang-up comes unasked. Told as readiness for what is watched, libcurl meets the error itself and has its
            // errno; told as CURL_CSELECT_ERR it would only say that there was one.
            if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { mask |= readiness(of: descriptor) }
            if Int(descriptor) < interests.count, interests[Int(descriptor)] == 0 {
                epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
                continue
            }
            if mask != 0 { body(Event(descriptor: descriptor, mask: mask)) }
        }
        return count
    }
}
