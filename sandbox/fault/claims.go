package fault

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// What several faults do to claims.

const otherClient = "another-client"

// replace sets a claim that is there.
func replace(o *Object, name string, value any) {
	if o.Has(name) {
		o.Set(name, value)
	}
}

func dropOrEmpty(x *Exchange, t *JWT, name string) {
	if x.Variant == "empty" {
		t.Claims.Set(name, "")
		return
	}
	t.Claims.Delete(name)
}

// bothSubs changes sub in the ID token and in UserInfo alike.
func bothSubs(change func(string) string) hooks {
	return bothClaims(func(o *Object) { o.Set("sub", change(o.String("sub"))) })
}

// bothClaims changes claims in the ID token and in UserInfo alike.
func bothClaims(change func(*Object)) hooks {
	return bothClaims2(func(_ *Exchange, o *Object) { change(o) })
}

func bothClaims2(change func(*Exchange, *Object)) hooks {
	at := func(x *Exchange, o *Object) {
		was := o.changed
		if change(x, o); o.changed == was {
			x.Untouched() // nothing of it is there
		}
	}
	return hooks{idToken: func(x *Exchange, t *JWT) { at(x, t.Claims) }, userinfo: at}
}

// withNonce is for tokens whose request had a nonce.
func withNonce(change func(*Exchange, *JWT)) hooks {
	return hooks{idToken: func(x *Exchange, t *JWT) {
		if !t.Claims.Has("nonce") {
			x.Untouched()
			return
		}
		change(x, t)
	}}
}

// withMaxAge is for tokens whose request had max_age.
func withMaxAge(change func(*Exchange, *JWT)) hooks {
	return hooks{idToken: func(x *Exchange, t *JWT) {
		if x.Login == nil || x.Login.Request.MaxAge == nil {
			x.Untouched()
			return
		}
		change(x, t)
	}}
}

// earlierNonce is that of the person's sign-in before this one at the same
// client, "" when there was none.
func (x *Exchange) earlierNonce() (nonce string) {
	if x.Login == nil {
		return ""
	}
	err := x.engine.store.View(x.Ctx(), x.World().ID, func(tx vneid.Tx) error {
		list, err := tx.LoginsOf(x.CCCD, x.Now().Add(-24*time.Hour), 20)
		if errors.Is(err, vneid.ErrNotFound) {
			return nil
		}
		i := slices.IndexFunc(list, func(l vneid.Login) bool {
			return l.ID != x.Login.ID && l.Request.ClientID == x.ClientID && l.Request.Nonce != "" && l.Request.Nonce != x.Login.Request.Nonce
		})
		if nonce = ""; i >= 0 {
			nonce = list[i].Request.Nonce
		}
		return err
	})
	x.engine.must(x, err)
	return nonce
}

func malformedSub(x *Exchange, sub string) any {
	switch x.Variant {
	case "long":
		return strings.Repeat("x", 300)
	case "non-ascii":
		return "người-dùng-" + sub
	case "number":
		return 1234567890
	case "array":
		return []string{sub}
	}
	return ""
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, s)
}

// lookalike replaces a letter of the host by its Cyrillic twin; an address has
// digits only, and gets a wide one.
func lookalike(issuer string) string {
	scheme, rest, _ := strings.Cut(issuer, "://")
	for _, twins := range [][2]string{{"a", "а"}, {"o", "о"}, {"e", "е"}, {"1", "１"}} {
		if strings.Contains(rest, twins[0]) {
			return scheme + "://" + strings.Replace(rest, twins[0], twins[1], 1)
		}
	}
	return issuer + "\u200b"
}

// nearly is an issuer that looks like another.
func nearly(issuer, variant string) string {
	scheme, rest, _ := strings.Cut(issuer, "://")
	host, path, _ := strings.Cut(rest, "/")
	if path != "" {
		path = "/" + path
	}
	switch variant {
	case "case":
		if upper := strings.ToUpper(host); upper != host {
			return scheme + "://" + upper + path
		}
		return strings.ToUpper(scheme) + "://" + rest // an address has no letters
	case "scheme":
		if scheme == "http" {
			return "https://" + rest
		}
		return "http://" + rest
	case "port":
		name, port, _ := strings.Cut(host, ":")
		if port == "8443" {
			return scheme + "://" + name + ":8444" + path
		}
		return scheme + "://" + name + ":8443" + path
	}
	return issuer + "/"
}
