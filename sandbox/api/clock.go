package api

import (
	"net/http"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// clockAnswer is where the world's clock stands.
type clockAnswer struct {
	Now string `json:"now"`
}

// furthest is how far the clock may be moved from real time: beyond, dates
// leave what JSON Web Tokens and certificates can say.
const furthest = 100 * 365 * 24 * time.Hour

func (a *api) getClock(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	return http.StatusOK, clockAnswer{rfc3339(vneid.WorldFrom(r.Context()).Clock.Now())}, nil
}

// setClock moves everything the product decides. "advance" adds up and may be
// negative: a test of a clock that was set wrong needs that.
func (a *api) setClock(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	var body struct {
		Advance *string `json:"advance"`
		Set     *string `json:"set"`
		Reset   *bool   `json:"reset"`
	}
	_, bad, err := readObject(r, &body)
	if err != nil {
		return 0, nil, err
	}
	var by time.Duration
	var to time.Time
	commands := 0
	if body.Advance != nil {
		commands++
		if by, err = time.ParseDuration(*body.Advance); err != nil || by > 2*furthest || by < -2*furthest {
			bad = append(bad, FieldError{"advance", `a duration such as "5m", "36h" or "-10s"`})
		}
	}
	if body.Set != nil {
		commands++
		if to, err = time.Parse(time.RFC3339, *body.Set); err != nil {
			bad = append(bad, FieldError{"set", `a time in RFC 3339, such as "2026-11-22T08:00:00+07:00"`})
		}
	}
	if body.Reset != nil {
		commands++
		if !*body.Reset {
			bad = append(bad, FieldError{"reset", "only true makes sense"})
		}
	}
	switch {
	case len(bad) > 0:
		return 0, nil, InvalidFields("", bad)
	case commands != 1:
		return 0, nil, Refuse(http.StatusBadRequest, `exactly one of {"advance": "5m"}, {"set": "2026-11-22T08:00:00Z"} and {"reset": true}`)
	}
	err = a.MoveClock(r.Context(), func(offset time.Duration, real time.Time) (time.Duration, error) {
		switch {
		case body.Advance != nil:
			offset += by
		case body.Set != nil:
			offset = to.Sub(real) // saturates, so that the check below sees it
		default:
			offset = 0
		}
		if offset > furthest || offset < -furthest {
			return 0, Refuse(http.StatusBadRequest, "that is more than 100 years from real time")
		}
		return offset, nil
	})
	if err != nil {
		return 0, nil, err
	}
	return a.getClock(nil, r)
}
