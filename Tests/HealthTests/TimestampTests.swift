import Health
import Testing

private let written: [(String, Int64)] = [
    ("1970-01-01T00:00:00.000Z", 0),
    ("2024-01-22T12:00:00.000Z", 1_705_924_800_000),
    ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
    ("2000-02-29T00:00:00.000Z", 951_782_400_000),
    ("1900-03-01T00:00:00.000Z", -2_203_891_200_000),
    ("1969-12-31T23:59:59.999Z", -1),
    ("1969-12-31T00:00:00.000Z", -86_400_000),
    ("0001-01-01T00:00:00.000Z", -62_135_596_800_000),
    ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
]

@Test(arguments: written)
func aMomentIsWrittenInUTCWithMilliseconds(text: String, milliseconds: Int64) {
    #expect(Timestamp(milliseconds: milliseconds).description == text)
}

@Test(arguments: written)
func aWrittenMomentIsReadBackAsItWas(text: String, milliseconds: Int64) {
    #expect(Timestamp(text)?.milliseconds == milliseconds)
}

@Test(arguments: [
    ("2024-01-22T12:00:00Z", 1_705_924_800_000),
    ("2024-01-22T12:00:00.5Z", 1_705_924_800_500),
    ("2024-01-22T12:00:00.123456789Z", 1_705_924_800_123),
    ("2024-01-22t12:00:00z", 1_705_924_800_000),
    ("2024-01-22 12:00:00Z", 1_705_924_800_000),
    ("2024-01-22T14:00:00+02:00", 1_705_924_800_000),
    ("2024-01-22T06:30:00-05:30", 1_705_924_800_000),
    ("2024-01-01T00:30:00+01:00", 1_704_065_400_000),
    ("2016-12-31T23:59:60Z", 1_483_228_800_000),
])
func theOtherFormsOfRFC3339AreRead(text: String, milliseconds: Int64) {
    #expect(Timestamp(text)?.milliseconds == milliseconds)
}

@Test(arguments: [
    "", "2024", "2024-01-22", "2024-01-22T12:00:00", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z",
    "2024-01-32T00:00:00Z", "2024-01-00T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-04-31T00:00:00Z",
    "2024-01-22T24:00:00Z", "2024-01-22T12:60:00Z", "2024-01-22T12:00:61Z", "2024-01-22T12:00:00.Z",
    "2024-01-22T12:00:00Zjunk", "2024-01-22T12:00:00+2:00", "2024-01-22T12:00:00+24:00", "2024-01-22T12:00:00+01:60",
    "-024-01-22T12:00:00Z", "٢٠٢٤-01-22T12:00:00Z",
])
func whatIsNoMomentIsNotRead(text: String) {
    #expect(Timestamp(text) == nil)
}

@Test func everyDayOfFourCenturiesIsReadBackAsItWasWritten() {
    for day in stride(from: Int64(-73_000), to: 73_100, by: 1) {
        let moment = Timestamp(milliseconds: day * 86_400_000)
        #expect(Timestamp(moment.description) == moment)
    }
}

@Test func theFarthestMomentsCanBeWritten() {
    #expect(!Timestamp(milliseconds: .min).description.isEmpty)
    #expect(!Timestamp(milliseconds: .max).description.isEmpty)
}

@Test func momentsAndDurationsAddUp() {
    let moment = Timestamp(milliseconds: 1000)
    #expect(moment + .seconds(2) == Timestamp(milliseconds: 3000))
    #expect(moment + .microseconds(-1500) == Timestamp(milliseconds: 999))
    #expect(moment - Timestamp(milliseconds: 4000) == .seconds(-3))
}

@Test func aDurationIsRoundedTowardZero() {
    #expect(Duration.nanoseconds(1999).wholeMicroseconds == 1)
    #expect(Duration.nanoseconds(-1999).wholeMicroseconds == -1)
    #expect(Duration.microseconds(999).wholeMilliseconds == 0)
}

@Test func aDurationTooLongForMicrosecondsSaturates() {
    #expect(Duration.seconds(Int64.max).wholeMicroseconds == .max)
    #expect(Duration.seconds(Int64.min).wholeMicroseconds == .min)
    let barely = Duration(secondsComponent: 9_223_372_036_854, attosecondsComponent: 999_999_000_000_000_000)
    #expect(barely.wholeMicroseconds == .max)
}

@Test func aDurationInSecondsKeepsItsFraction() {
    #expect(Duration.milliseconds(1500).inSeconds == 1.5)
}

@Test(arguments: [(7, 1, 3), (-7, -2, 1), (-8, -2, 0), (-1, -1, 3), (0, 0, 0), (8, 2, 0)] as [(Int64, Int64, Int64)])
func divisionRoundsTowardMinusInfinity(dividend: Int64, quotient: Int64, remainder: Int64) {
    #expect(dividend.flooredQuotient(by: 4) == quotient)
    #expect(dividend.quotientAndRemainderFloored(by: 4) == (quotient, remainder))
}
