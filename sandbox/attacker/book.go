package attacker

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Hit is a request that should not have come.
type Hit struct {
	ID       int64  `json:"id"` // counts up
	At       string `json:"at"` // by the clock of the world
	Fault    string `json:"fault"`
	What     string `json:"what"` // was asked for: jku, token, userinfo …
	ClientID string `json:"client_id"`
	Method   string `json:"method"`
	// Carried are the kinds of secrets that came along. Their values are not kept.
	Carried   []string `json:"carried"`
	UserAgent string   `json:"user_agent"`
	Browser   bool     `json:"browser"` // a browser came, not the relying party's server

	world string
}

// mostHits bounds what is remembered, of all worlds together.
const mostHits = 1000

// Book remembers who came. It belongs to one process and ends with it.
type Book struct {
	mu   sync.Mutex
	hits []Hit
	last int64
}

// List is what came in a world after the hit of that number, oldest first. With
// a client it is what came from it and from whoever named no client.
func (b *Book) List(world, client string, after int64) []Hit {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := []Hit{}
	for _, h := range b.hits {
		if h.world == world && h.ID > after && (client == "" || h.ClientID == "" || h.ClientID == client) {
			list = append(list, h)
		}
	}
	return list
}

// Forget drops what came in a world.
func (b *Book) Forget(world string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hits = slices.DeleteFunc(b.hits, func(h Hit) bool { return h.world == world })
}

func (b *Book) add(h Hit) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.hits) >= mostHits {
		b.hits = slices.Delete(b.hits, 0, len(b.hits)-mostHits+1)
	}
	b.last++
	h.ID = b.last
	b.hits = append(b.hits, h)
}

// secret are the parameters that nobody but the provider may get.
var secret = []string{"access_token", "client_assertion", "client_secret", "code", "code_verifier", "id_token_hint", "password", "refresh_token"}

// hitOf notes a request, without the values of what it carries.
func hitOf(r *http.Request, fault, what string) Hit {
	world := vneid.WorldFrom(r.Context())
	h := Hit{At: world.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00"), Fault: fault, What: what, Method: r.Method, Carried: []string{},
		UserAgent: clip(r.UserAgent(), 120), Browser: r.Header.Get("Sec-Fetch-Mode") != "", world: world.ID}
	_ = r.ParseForm() // what cannot be read carries nothing
	h.ClientID = r.Form.Get("client_id")
	for _, name := range secret {
		if r.Form.Get(name) != "" {
			h.Carried = append(h.Carried, name)
		}
	}
	if id, _, ok := r.BasicAuth(); ok {
		if plain, err := url.QueryUnescape(id); err == nil { // RFC 6749 §2.3.1
			h.ClientID = plain
		}
		h.Carried = append(h.Carried, "client_secret")
	} else if scheme, _, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		h.Carried = append(h.Carried, "access_token")
	}
	if r.Header.Get("Cookie") != "" {
		h.Carried = append(h.Carried, "cookie")
	}
	slices.Sort(h.Carried)
	h.Carried = slices.Compact(h.Carried)
	h.ClientID = clip(h.ClientID, 200)
	return h
}

func clip(s string, most int) string { return strings.ToValidUTF8(s[:min(len(s), most)], "") }
