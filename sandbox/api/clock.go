package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// clockAnswer is where the world's clock stands.
type clockAnswer struct {
	Now string `json:"now"`
}

func (a *api) getClock(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	return http.StatusOK, clockAnswer{rfc3339(vneid.WorldFrom(r.Context()).Clock.Now())}, nil
}

// setClock moves everything the product decides.
func (a *api) setClock(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	var body struct {
		Advance *string `json:"advance"`
		Set     *string `json:"set"`
		Reset   *bool   `json:"reset"`
	}
	given, bad, err := readObject(r, &body)
	if err != nil {
		return 0, nil, err
	}
	var move vneid.ClockMove
	field, commands := "advance", 0
	if body.Advance != nil {
		commands++
		by, err := time.ParseDuration(*body.Advance)
		move = vneid.AdvanceClock(by)
		if err != nil {
			bad = append(bad, FieldError{"advance", `a duration such as "5m", "36h" or "-10s"`})
		}
	}
	if body.Set != nil {
		field = "set"
		commands++
		to, err := time.Parse(time.RFC3339, *body.Set)
		move = vneid.SetClock(to)
		if err != nil {
			bad = append(bad, FieldError{"set", `a time in RFC 3339, such as "2026-11-22T08:00:00+07:00"`})
		}
	}
	if body.Reset != nil {
		commands++
		move = vneid.ResetClock()
		if !*body.Reset {
			bad = append(bad, FieldError{"reset", "only true makes sense"})
		}
	}
	switch {
	case len(bad) > 0:
		return 0, nil, InvalidFields("", bad)
	case commands != 1:
		for _, name := range []string{"advance", "set", "reset"} {
			if commands == 0 || given[name] {
				bad = append(bad, FieldError{name, "exactly one of the three is needed"})
			}
		}
		p := InvalidFields("", bad)
		p.Detail = `exactly one of {"advance": "5m"}, {"set": "2026-11-22T08:00:00Z"} and {"reset": true}`
		return 0, nil, p
	}
	err = a.MoveClock(r.Context(), move)
	var refused *vneid.Error
	if errors.As(err, &refused) && refused.Code == vneid.CodeInvalid {
		return 0, nil, Invalid(field, refused.Hint)
	}
	if err != nil {
		return 0, nil, err
	}
	return a.getClock(nil, r)
}
