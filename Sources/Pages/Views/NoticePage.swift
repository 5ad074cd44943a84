/// What stands in the place of a page that isn't there, with the way to the others.
package struct NoticePage: Sendable {
    let title: String
    /// Safe to show.
    let sentence: String

    package init(title: String, sentence: String) { (self.title, self.sentence) = (title, sentence) }

    package func document(_ renderer: PageRenderer, _ frame: PageFrame) -> PageDocument {
        PageDocument(html: renderer.html("notice", frame, ["headline": title, "text": sentence]), asOf: frame.asOf)
    }
}
