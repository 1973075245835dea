package vneid

import (
	"testing"
	"time"
)

func TestAClockMovesAsFarAsTokensCanSay(t *testing.T) {
	real := time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		move ClockMove
		want time.Duration
		ok   bool
	}{
		"forwards":           {AdvanceClock(5 * time.Minute), time.Hour + 5*time.Minute, true},
		"backwards":          {AdvanceClock(-2 * time.Hour), -time.Hour, true},
		"to a time":          {SetClock(real.Add(48 * time.Hour)), 48 * time.Hour, true},
		"to real time":       {ResetClock(), 0, true},
		"too far":            {AdvanceClock(furthestClock), 0, false},
		"beyond any sum":     {AdvanceClock(1<<63 - 1), 0, false},
		"before any time":    {AdvanceClock(-1 << 63), 0, false},
		"to another century": {SetClock(real.AddDate(101, 0, 0)), 0, false},
		"to the year 1":      {SetClock(time.Time{}), 0, false},
	} {
		got, err := c.move(time.Hour, real)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%s: %v, %v; want %v, ok %v", name, got, err, c.want, c.ok)
		}
		if err != nil && MsgKey(err) != "clock_too_far" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
