package api

import (
	"net/http"
	"strconv"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// listCanaries lists who came to the attacker in this world.
func (a *api) listCanaries(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	query := r.URL.Query()
	after, bad := int64(0), []FieldError{}
	client := query.Get("client_id")
	if len(client) > 200 {
		bad = append(bad, FieldError{"client_id", "at most 200 bytes"})
	}
	if s := query.Get("after"); s != "" {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 {
			bad = append(bad, FieldError{"after", "the id of a hit: a whole number"})
		}
		after = n
	}
	if len(bad) > 0 {
		return 0, nil, InvalidFields("", bad)
	}
	return http.StatusOK, a.Canaries.List(vneid.WorldFrom(r.Context()).ID, client, after), nil
}

func (a *api) forgetCanaries(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	a.Canaries.Forget(vneid.WorldFrom(r.Context()).ID)
	return http.StatusNoContent, nil, nil
}
