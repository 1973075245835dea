package fault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Kind tells the messages to and from the provider apart.
type Kind string

const (
	Authorize  Kind = "authorize"
	Page       Kind = "page" // of a login
	Token      Kind = "token"
	Userinfo   Kind = "userinfo"
	JWKS       Kind = "jwks"
	Discovery  Kind = "discovery"
	PAR        Kind = "par" // pushed authorization requests, which the provider does not take
	Introspect Kind = "introspect"
	Revoke     Kind = "revoke"
	EndSession Kind = "end_session"
	Phone      Kind = "phone"    // of the phone app
	Logout     Kind = "logout"   // from the provider to the relying party
	Register   Kind = "register" // a question to the population database
	Message    Kind = "message"  // an SMS
	Other      Kind = ""
)

var kinds = map[string]Kind{
	"/authorize": Authorize, "/oauth/token": Token, "/userinfo": Userinfo, "/keys": JWKS,
	"/.well-known/openid-configuration": Discovery, "/oauth/introspect": Introspect, "/revoke": Revoke,
	"/end_session": EndSession, "/end_session/confirm": EndSession, pathPAR: PAR,
}

func kindOf(path string) Kind {
	switch k, ok := kinds[path]; {
	case ok:
		return k
	case strings.HasPrefix(path, "/dancu/"):
		return Register
	case strings.HasPrefix(path, "/login/"):
		return Page
	case strings.HasPrefix(path, "/phoneapi/v1/"):
		return Phone
	}
	return Other
}

// Answer is the provider's answer, held back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	// Of the transport. Delay comes first; Drip sends the body a byte at a time,
	// with that pause; Cut ends the connection after so many bytes of the body
	// (-1 = before any of the answer), 0 = never.
	Delay, Drip time.Duration
	Cut         int
	// Padding sends so many spaces before the body, which mean nothing in JSON
	// and are held nowhere.
	Padding int
}

// Exchange is a message to the provider and what it answers, as a fault sees it.
type Exchange struct {
	Kind    Kind
	Request *http.Request
	Form    url.Values // of the query and, for a form, the body
	Answer  *Answer    // nil before the provider has answered

	// Who the message is about, as far as that is known.
	ClientID, RedirectURI, LoginHint string
	CCCD                             vneid.CCCD
	Login                            *vneid.Login
	GrantToken                       *vneid.Token // a refresh or access token that was shown

	Variant string // of the fault at work
	Armed   Armed

	// Repeat sends a logout token so many times more.
	Repeat int

	engine *Engine
	at     *striker // that is at work
	struck []string
	silent bool
}

// Ctx is the context of the request, which knows the world.
func (x *Exchange) Ctx() context.Context { return x.Request.Context() }

// World is that of the request.
func (x *Exchange) World() *vneid.World { return vneid.WorldFrom(x.Ctx()) }

// Now is the time of the world.
func (x *Exchange) Now() time.Time { return x.World().Clock.Now() }

// Untouched says that the fault at work let the message pass: it was none that
// it could make wrong.
func (x *Exchange) Untouched() { x.silent = true }

// Chance is true in that part of all cases, by the seed of the armed fault.
func (x *Exchange) Chance(part float64) bool { return x.engine.chance(x, part) }

// Reply keeps a message from the provider and answers it.
func (x *Exchange) Reply(status int, contentType, body string) {
	x.Answer = &Answer{Status: status, Header: http.Header{"Content-Type": {contentType}, "Cache-Control": {"no-store"}}, Body: []byte(body)}
}

// PublicKeys asks the provider for its key set.
func (x *Exchange) PublicKeys() (*Object, error) {
	raw, err := x.engine.keys(x.Ctx())
	if err != nil {
		return nil, err
	}
	return ParseObject(raw)
}

// nameless says whether the message is of a kind that names no client. Pushed
// requests are made by whoever read in the metadata that it can.
func (x *Exchange) nameless() bool {
	return x.Kind == JWKS || x.Kind == Discovery || x.Kind == Register || x.Kind == PAR
}

// mostBody bounds the messages that are looked into; longer ones pass.
const mostBody = 256 << 10

// read learns whom a request is about. Its body stays readable.
func (e *Engine) read(r *http.Request) (*Exchange, error) {
	x := &Exchange{Kind: kindOf(r.URL.Path), Request: r, Form: r.URL.Query(), engine: e}
	var body []byte
	if r.Body != nil && r.Method == http.MethodPost {
		var err error
		body, err = io.ReadAll(io.LimitReader(r.Body, mostBody+1))
		r.Body = rest{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
		if err != nil {
			return nil, err
		}
		if form, err := url.ParseQuery(string(body)); err == nil && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			for name, values := range form {
				x.Form[name] = append(x.Form[name], values...)
			}
		}
	}
	if x.nameless() || x.Kind == Other {
		return x, nil
	}
	if x.Kind == Phone {
		return x, e.lookUpPhone(x, string(body))
	}
	x.ClientID, x.RedirectURI, x.LoginHint = x.Form.Get("client_id"), x.Form.Get("redirect_uri"), x.Form.Get("login_hint")
	if id, _, ok := r.BasicAuth(); ok {
		if plain, err := url.QueryUnescape(id); err == nil {
			x.ClientID = plain
		}
	}
	if claims := claimsOf(x.Form.Get("client_assertion")); claims != nil {
		x.ClientID = claims.String("sub")
	}
	if hint := claimsOf(x.Form.Get("id_token_hint")); hint != nil && x.ClientID == "" {
		x.ClientID = hint.String("aud")
	}
	e.undisguise(x)
	return x, e.lookUp(x)
}

type rest struct {
	io.Reader
	io.Closer
}

func claimsOf(jwt string) *Object {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return nil
	}
	raw, err := b64.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	o, err := ParseObject(raw)
	if err != nil {
		return nil
	}
	return o
}

// lookUpPhone finds whose phone calls, and about which login. The call is a JWS
// whose signature the provider will check.
func (e *Engine) lookUpPhone(x *Exchange, jws string) error {
	head, rest, _ := strings.Cut(jws, ".")
	raw, err := b64.DecodeString(head)
	if err != nil {
		return nil
	}
	header, err := ParseObject(raw)
	if err != nil {
		return nil
	}
	call := claimsOf(jws)
	if call == nil || rest == "" {
		return nil
	}
	return e.store.View(x.Ctx(), x.World().ID, func(tx vneid.Tx) error {
		d, err := tx.Device(header.String("kid"))
		if err == nil {
			x.CCCD = d.CCCD
			x.Login, err = tx.Login(call.String("login"))
		}
		if errors.Is(err, vneid.ErrNotFound) {
			return nil
		}
		if err == nil {
			x.ClientID, x.RedirectURI, x.LoginHint = x.Login.Request.ClientID, x.Login.Request.RedirectURI, x.Login.Request.LoginHint
		}
		return err
	})
}

// lookUp asks the store for the login or the token that a request names.
func (e *Engine) lookUp(x *Exchange) error {
	login, code, token := "", "", ""
	switch x.Kind {
	case Page:
		login, _, _ = strings.Cut(strings.TrimPrefix(x.Request.URL.Path, "/login/"), "/")
	case Token:
		code, token = x.Form.Get("code"), x.Form.Get("refresh_token")
	case Userinfo:
		scheme, bearer, _ := strings.Cut(x.Request.Header.Get("Authorization"), " ")
		if strings.EqualFold(scheme, "Bearer") {
			token = strings.TrimSpace(bearer)
		} else {
			token = x.Form.Get("access_token")
		}
	case Introspect, Revoke:
		token = x.Form.Get("token")
	}
	if claims := claimsOf(token); claims != nil { // an access token that is a JWT: its id is what is kept
		token = vneid.JWTHandle(claims.String("jti"))
	}
	if login == "" && code == "" && token == "" {
		return nil
	}
	return e.store.View(x.Ctx(), x.World().ID, func(tx vneid.Tx) (err error) {
		x.Login, x.GrantToken = nil, nil
		switch {
		case login != "":
			x.Login, err = tx.Login(login)
		case code != "":
			x.Login, err = tx.LoginByCode(vneid.SecretHash(code))
		default:
			x.GrantToken, err = tx.Token(vneid.SecretHash(token))
		}
		if errors.Is(err, vneid.ErrNotFound) {
			return nil // the provider will say so
		}
		if err != nil {
			return err
		}
		if t := x.GrantToken; t != nil {
			x.ClientID, x.CCCD = t.ClientID, t.CCCD
			if x.Login, err = tx.Login(t.GrantID); errors.Is(err, vneid.ErrNotFound) {
				x.Login, err = nil, nil // a client's own token
			}
		}
		if l := x.Login; l != nil {
			x.CCCD, x.LoginHint, x.RedirectURI = l.CCCD, l.Request.LoginHint, l.Request.RedirectURI
			if x.Kind == Page {
				x.ClientID = l.Request.ClientID
			}
		}
		return err
	})
}
