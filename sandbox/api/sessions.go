package api

import (
	"errors"
	"net/http"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// session is a browser in which somebody is signed in.
type session struct {
	SID       string     `json:"sid"`
	CCCD      vneid.CCCD `json:"cccd"`
	ACR       string     `json:"acr"`
	AMR       []string   `json:"amr"`
	AuthTime  string     `json:"auth_time"`
	CreatedAt string     `json:"created_at"`
	ExpiresAt string     `json:"expires_at"`
	Clients   []string   `json:"clients"` // that got tokens in it
}

// mostSessions bounds a list.
const mostSessions = 1000

// listSessions lists who is signed in, the newest first.
func (a *api) listSessions(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	now := vneid.WorldFrom(r.Context()).Clock.Now()
	var of vneid.CCCD
	if s := r.URL.Query().Get("cccd"); s != "" {
		var err error
		if of, err = vneid.ParseCCCD(s, now.Year()); err != nil {
			return 0, nil, Invalid("cccd", "no CCCD: 12 digits")
		}
	}
	list := []session{}
	err := a.view(r, func(tx vneid.Tx) error {
		list = list[:0]
		sessions, err := tx.Sessions(of, mostSessions)
		if err != nil {
			return err
		}
		for _, s := range sessions {
			if !s.Alive(now) {
				continue
			}
			shown := session{s.ID, s.CCCD, s.Auth.ACR, s.Auth.AMR, rfc3339(s.Auth.Time), rfc3339(s.CreatedAt), rfc3339(s.ExpiresAt), []string{}}
			heard, err := tx.ClientsOfSession(s.ID)
			if err != nil {
				return err
			}
			for _, c := range heard {
				if n := len(shown.Clients); n == 0 || shown.Clients[n-1] != c.ClientID { // they come sorted
					shown.Clients = append(shown.Clients, c.ClientID)
				}
			}
			list = append(list, shown)
		}
		return nil
	})
	return http.StatusOK, list, err
}

// deleteSession signs a browser out, from here.
func (a *api) deleteSession(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	w := vneid.WorldFrom(r.Context())
	err := a.Store.Update(r.Context(), w.ID, func(tx vneid.Tx) error {
		return vneid.EndSession(tx, r.PathValue("sid"), w.Clock.Now())
	})
	if errors.Is(err, vneid.ErrNotFound) {
		return 0, nil, Refuse(http.StatusNotFound, "no session has this sid; GET "+Prefix+"/sessions lists those that stand")
	}
	return http.StatusNoContent, nil, err
}
