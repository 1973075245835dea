package vneid

import "time"

// ClockMove says where the clock of a world goes: it is given its distance from
// real time and the real time, and answers with the new distance. The error of
// one that goes too far is of CodeInvalid, "clock_too_far".
type ClockMove = func(offset time.Duration, real time.Time) (time.Duration, error)

// furthestClock is how far a clock may be from real time: beyond, dates leave
// what JSON Web Tokens and certificates can say.
const furthestClock = 100 * 365 * 24 * time.Hour

// AdvanceClock adds up. by may be negative: a test of a clock that was set
// wrong needs that.
func AdvanceClock(by time.Duration) ClockMove {
	return func(offset time.Duration, _ time.Time) (time.Duration, error) {
		if by > 2*furthestClock || by < -2*furthestClock { // before the sum overflows
			return 0, clockTooFar()
		}
		return within(offset + by)
	}
}

// SetClock makes it that time now.
func SetClock(to time.Time) ClockMove {
	return func(_ time.Duration, real time.Time) (time.Duration, error) {
		return within(to.Sub(real)) // saturates, so that within sees it
	}
}

// ResetClock goes back to real time.
func ResetClock() ClockMove {
	return func(time.Duration, time.Time) (time.Duration, error) { return 0, nil }
}

func within(offset time.Duration) (time.Duration, error) {
	if offset > furthestClock || offset < -furthestClock {
		return 0, clockTooFar()
	}
	return offset, nil
}

func clockTooFar() error {
	return Errorf(CodeInvalid, "clock_too_far", "that is more than 100 years from real time")
}
