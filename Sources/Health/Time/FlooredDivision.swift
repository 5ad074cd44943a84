/// Division that rounds toward minus infinity, as times before 1970 need it: `/` and `%` round toward zero.
extension Int64 {
    package func flooredQuotient(by divisor: Int64) -> Int64 { quotientAndRemainderFloored(by: divisor).quotient }

    /// The remainder is never negative.
    package func quotientAndRemainderFloored(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
