//go:build careless

package main

// Mistake session-kept.
//
// Real code: the framework's session is filled with the user, and keeps its
// id.
//
// Gain: session fixation: whoever planted a session cookie in the browser
// before is signed in with it afterwards.
//
// Found by: G15
//
// Right: session.go: changeLock.

import (
	"net/http"
	"strings"
	"sync"
)

func init() {
	mistakes = append(mistakes, mistake{
		name: "session-kept", faults: "G15",
		does: text{"giữ nguyên mã phiên khi đăng nhập", "the session id stays the same over the sign-in"},
		make: func(p *portal, c *changes) {
			c.doors = append(c.doors, func(next http.Handler) http.Handler {
				return (&fixedSessions{p: p, behind: map[string]string{}}).door(next)
			})
		},
	})
}

// fixedSessions lets a browser keep its first cookie whatever stands behind it.
type fixedSessions struct {
	p      *portal
	mu     sync.Mutex
	behind map[string]string // what the browser has → what the portal gave out
}

func (f *fixedSessions) door(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := f.p.cookieName("session")
		has := f.p.cookie(r, "session")
		if is := f.get(has); is != "" {
			others := r.Cookies()
			r.Header.Del("Cookie")
			for _, c := range others {
				if c.Name == name {
					c.Value = is
				}
				r.AddCookie(c)
			}
		}
		d := drafted(next, r)
		for i, line := range d.header["Set-Cookie"] {
			given, ok := strings.CutPrefix(line, name+"=")
			if !ok || has == "" {
				continue
			}
			value, rest, _ := strings.Cut(given, ";")
			if value == "" { // a sign-out
				f.put(has, "")
				continue
			}
			f.put(has, value)
			d.header["Set-Cookie"][i] = name + "=" + has + ";" + rest
		}
		d.send(w)
	})
}

func (f *fixedSessions) get(has string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.behind[has]
}

func (f *fixedSessions) put(has, is string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.behind) > 10_000 {
		clear(f.behind)
	}
	f.behind[has] = is
}
