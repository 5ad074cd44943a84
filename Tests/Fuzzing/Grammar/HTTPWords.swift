extension HTTPGrammar {
    /// Most are answers that are followed or accepted, so that what comes after them is read.
    static let statuses = [
        "200", "200", "200", "200", "200", "200", "200", "201", "202", "203", "204", "205", "206", "226", "300", "301", "302",
        "302", "303",
        "304", "305", "307", "308", "400", "401", "403", "404", "407", "408", "410", "412", "416", "417", "421", "425", "426",
        "429", "451",
        "500", "501", "502", "503", "504", "511", "599", "999",
    ]

    static let versions = [
        "HTTP/0.9", "HTTP/1.2", "HTTP/2", "HTTP/2.0", "HTTP/3", "HTTP/11.1", "HTTP/1", "HTTP/", "HTTP", "http/1.1", "ICY",
        "RTSP/1.0", "",
        "HTTP/1.1.1", "HTTP /1.1", "HTTP/1,1", "HTTP/-1.1", "HTTP/1.1\t", " HTTP/1.1", "SSH-2.0-x", "HTTP/1.\u{661}",
    ]

    static let oddStatuses = [
        "", "0", "00", "000", "001", "99", "099", "100", "101", "199", "600", "1000", "2000", "20", "2", "-1", "+200", "0200",
        "0x1", "abc",
        "2 00", "2e2", "200.0", "200OK", "2147483648", "99999999999999999999", "\u{661}00", "\0", "200\0",
    ]

    static let reasons = [
        "", " ", "OK OK", "\u{fc}", "\u{1b}[31mred\u{1b}[0m", "\u{202e}", "\0", "a\0b", "a\rb", "<script>", "%s%n", ":", "X: y",
        "200", "\t",
        "\u{7f}", "\r", "HTTP/1.1 200 OK",
    ]

    static let leading = [
        "\r\n", "\n", "\r", " ", "\t", "\0", "\r\n\r\n", "garbage\r\n", " X: a\r\n", "HTTP/1.1 200 OK\r\n", "\r\n \r\n",
        "\u{feff}",
        "HTTP/1.1 100 Continue\r\n\r\n", ":\r\n", "<html>", "\u{16}\u{3}\u{1}", "\0\0\u{12}\u{4}\0\0\0\0\0", "220 ready\r\n",
    ]

    static let oddValues = [
        "\0", "\r", "\n", "\rX: y", "\nX: y", "\r\nX: y", "\u{1b}[31m", "\u{7f}", "\u{1}", ",", ";", "\"", "\\", "\u{fc}",
        "\u{202e}", "=",
        " ", "\t", "%00", "\r\n\r\n", "\r\nHTTP/1.1 200 OK",
    ]

    /// Those that libcurl or the code around it reads, and some that they don't.
    static let headers: [(name: String, value: String)] = [
        ("Content-Type", "text/plain"), ("Content-Type", "application/json"), ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Type", ""),
        ("Set-Cookie", "a=b"), ("Set-Cookie", "a=b; Path=/; Domain=127.0.0.1; Max-Age=5"), ("Set-Cookie", "a"),
        ("Set-Cookie", "=b"),
        ("Set-Cookie", "__Host-a=b; Secure; Path=/"), ("Set-Cookie", "a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Set-Cookie", "a=\u{1}b"), ("Set-Cookie", "; ; ;"), ("Set-Cookie", String(repeating: "c=d; ", count: 1200)),
        ("Connection", "close"), ("Connection", "keep-alive"), ("Connection", "Upgrade"), ("Connection", "close, keep-alive"),
        ("Proxy-Connection", "keep-alive"),
        ("Keep-Alive", "timeout=0"), ("Keep-Alive", "timeout=99999999999, max=-1"), ("Upgrade", "h2c"), ("Upgrade", "websocket"),
        ("WWW-Authenticate", "Basic realm=\"a"), ("WWW-Authenticate", "Digest nonce=\"\", qop=auth"),
        ("WWW-Authenticate", "NTLM AAAA"),
        ("WWW-Authenticate", "Negotiate !"), ("Proxy-Authenticate", "Basic"), ("Authentication-Info", "x"),
        ("Retry-After", "1"), ("Retry-After", "-1"), ("Retry-After", "99999999999999999999"),
        ("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Retry-After", "Sun, 99 Nov 99999 99:99:99 GMT"), ("Retry-After", "soon"), ("ETag", "\"a\""), ("ETag", ""),
        ("ETag", "W/\"\u{ff}"),
        ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"), ("Last-Modified", "yesterday"), ("Date", "x"), ("Age", "-1"),
        ("Content-Range", "bytes 0-4/5"), ("Content-Range", "bytes */0"), ("Content-Range", "bytes 99999999999999999999-"),
        ("Accept-Ranges", "bytes"),
        ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"), ("Strict-Transport-Security", "max-age=-1"),
        ("Alt-Svc", "h2=\":1\"; ma=60"), ("Alt-Svc", "clear"), ("Alt-Svc", "h3=\"["), ("Trailer", "X-Trailer"),
        ("Expires", "0"), ("Via", "1.1 a"), ("Server", "hostile"), ("X-Empty", ""), ("X", "y"), ("Location", "/second"),
        ("Refresh", "0; url=/"), ("Content-Location", "/"), ("Vary", "*"), ("Persistent-Auth", "true"),
        ("Content-Disposition", "attachment; filename=x"),
    ]
}
