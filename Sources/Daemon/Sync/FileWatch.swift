import Dispatch
import Glibc
import LockOrder

/// Says when a file may have changed, by inotify(7).
///
/// It watches the file's folder, and not the file: editors put another file in its place, and Kubernetes another link. Where it sees nothing (a
/// file system of a network), whoever reads the file has to look now and then.
final class FileWatch: Sendable {
    private struct State {
        var form: FileForm?
        /// Where the path leads, through all links.
        var place: String?
        /// Of the folders, as inotify numbers them.
        var watches: Set<Int32> = []
    }

    // A file that is being written is closed at its end. What is done to the folder itself ends its watch.
    private static let events = UInt32(
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)
    private static let folderIsGone = UInt32(IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW)

    private let path: String
    private let descriptor: Int32
    // Made once, and cancelled once.
    private nonisolated(unsafe) let source: any DispatchSourceRead
    private let state: OrderedMutex<State>

    /// nil where nothing can be watched.
    init?(_ path: String, onChange: @escaping @Sendable () -> Void) {
        let descriptor = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        guard descriptor >= 0 else { return nil }
        (self.path, self.descriptor) = (path, descriptor)
        state = OrderedMutex(State(form: FileForm(path)))
        source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor, queue: DispatchQueue(label: "targets file", qos: .utility))
        source.setCancelHandler { close(descriptor) }
        source.setEventHandler { [weak self] in if self?.hasChanged() ?? false { onChange() } }
        source.activate()
        guard renew() else { return nil }
    }

    deinit { source.cancel() }

    /// Watches the folders that there are now. Returns false when none can be watched.
    @discardableResult
    func renew() -> Bool {
        state.withLock { state in
            state.place = Self.place(of: path)
            // Where a link leads, the file itself may be written in place.
            let folders = Set([path, state.place].compactMap(\.self).map { Self.split($0).folder })
            let watches = Set(folders.map { inotify_add_watch(descriptor, $0, Self.events) }.filter { $0 >= 0 })
            for old in state.watches.subtracting(watches) { inotify_rm_watch(descriptor, old) }
            state.watches = watches
            return !watches.isEmpty
        }
    }

    private func hasChanged() -> Bool {
        let (names, isGone) = events()
        let (before, place) = (state.withLock { $0.place }, Self.place(of: path))
        if isGone || place != before { renew() }
        // Another file of the folder says nothing of this one, which may be half written.
        let own = [path, before, place].compactMap(\.self).map { Self.split($0).name }
        guard isGone || place != before || !names.isDisjoint(with: own) else { return false }
        let form = FileForm(path)
        return state.withLock { state in
            defer { state.form = form }
            return state.form != form
        }
    }

    /// The names that something was done to, and whether a folder is no longer what it was.
    private func events() -> (names: Set<String>, isGone: Bool) {
        var (names, isGone) = (Set<String>(), false)
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return (names, isGone) }
            var rest = buffer[..<count]
            let head = MemoryLayout<inotify_event>.size
            while rest.count >= head {
                let event = rest.withUnsafeBytes { $0.loadUnaligned(as: inotify_event.self) }
                let name = rest.dropFirst(head).prefix(Int(event.len)).prefix { $0 != 0 }
                if !name.isEmpty { names.insert(String(decoding: name, as: UTF8.self)) }
                isGone = isGone || event.mask & Self.folderIsGone != 0
                rest = rest.dropFirst(head + Int(event.len))
            }
        }
    }

    private static func place(of path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
}
