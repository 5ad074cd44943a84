import TargetsAPI
import Testing

@Suite struct LinkHeaderTests {
    @Test(arguments: [
        ([#"</a?page=2>; rel="next""#], "/a?page=2"),
        ([#"</a>; rel="next""#, #"</b>; rel="last""#], "/a"),
        ([#"</b>; rel=last, </a>; rel=next"#], "/a"),
        ([#"</a>; rel="prev next""#], "/a"), (["</a>; rel='next'"], "/a"), ([#"</a>; REL = "NEXT""#], "/a"),
        ([#"</a>; title="<, \"; rel=x"; rel="next""#], "/a"),
        ([#"</a>; rel="next-archive""#], nil), ([#"</a>; title="a; rel=next"; rel="self""#], nil),
        ([#"</a>; rel=self; rel=next"#], nil), ([#"</a>; next"#], nil), ([], nil), ([""], nil),
        ([#"<>; rel="next""#], nil),
    ])
    func theNextPageIsFoundHoweverItIsWritten(values: [String], target: String?) {
        #expect(LinkHeader(values)?.target(of: "next") == target)
        #expect(LinkHeader(values) != nil)
    }

    @Test(arguments: ["next", "</a", #"</a>; rel="next"#, "</a> next", #"</a>; rel="x\"#])
    func whatIsNoLinkIsNotReadInPart(value: String) { #expect(LinkHeader([value]) == nil) }
}
