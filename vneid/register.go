package vneid

import (
	"strings"
	"time"
	"unicode"
)

// RegisterEntry is what the population database says of a person where it
// differs from their account: a typo there, no entry at all, a death. Nobody's
// entry differs unless there is a row.
type RegisterEntry struct {
	CCCD      CCCD   `json:"cccd" yaml:"cccd"`
	Name      string `json:"name" yaml:"name"`           // "" = as in the account
	Birthdate string `json:"birthdate" yaml:"birthdate"` // "" = as in the account
	Absent    bool   `json:"absent" yaml:"absent"`
	Deceased  bool   `json:"deceased" yaml:"deceased"`
}

// RegisterConsumer is a system that may ask the population database.
type RegisterConsumer struct {
	KeyHash   string // SecretHash of its key
	Name      string
	PerMinute int // questions
}

// MatchForm is how names are compared: upper case, no diacritics, no spaces.
// "Đỗ Thị  Giang" and "DO THI GIANG" are one name.
func MatchForm(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, Fold(name))
}

// Allow counts one more event, unless there were as many within the window
// already; then it says how long to wait.
func (t *Throttle) Allow(most int, window time.Duration, now time.Time) (wait time.Duration) {
	t.recent(window, now)
	if len(t.Times) >= most {
		return t.Times[0].Add(window).Sub(now)
	}
	t.Times = append(t.Times, now)
	return 0
}
