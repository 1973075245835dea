package vneid

import (
	"encoding/json"
	"time"
)

// Record is what happened in one login, for the developer of the relying party:
// who sent what to whom, what was checked, and what to change. A refused request
// that never became a login has a record of its own.
//
// It is written beside the logins (trail.go) and decides nothing. It holds no
// password, one-time password, code, token, secret or verifier, and of a CCCD
// only what [CCCD.Mask] leaves.
//
// It grows by parts, one of each request: a Record with the steps of that
// request and what is known by then. A part without an ID goes to the newest
// record of its session, one of its client if there is; without such a record
// nowhere.
type Record struct {
	ID        string // of the login; of a request that became none, the request's
	ClientID  string // "" = not known
	CCCD      string // masked; "" = nobody yet
	CCCDHash  string // keyed, for finding the records of a person
	SessionID string // sid
	Result    RecordResult
	Error     string // the OAuth error or the key of the last refusal, "" = none
	StartedAt time.Time
	UpdatedAt time.Time
	EndsAt    time.Time // from then on a pending login is over; zero = it is settled
	Steps     []RecordStep
}

// RecordResult is how a login ended, or where it stands.
type RecordResult string

const (
	ResultPending    RecordResult = "pending"     // somebody still has to do something
	ResultCodeIssued RecordResult = "code_issued" // the client has not redeemed its code
	ResultSignedIn   RecordResult = "signed_in"   // the client has its tokens
	ResultRefused    RecordResult = "refused"     // by the citizen, the phone or the rules
	ResultLocked     RecordResult = "locked"      // too many wrong one-time passwords
	ResultExpired    RecordResult = "expired"
	ResultRejected   RecordResult = "rejected" // a request that became no login
)

// RecordResults are all of them, in the order in which a login meets them.
func RecordResults() []RecordResult {
	return []RecordResult{ResultPending, ResultCodeIssued, ResultSignedIn, ResultRefused, ResultLocked, ResultExpired, ResultRejected}
}

// Rank orders results: of two processes that write one record the later result
// stays, whichever is written last. 0 = says nothing.
func (r RecordResult) Rank() int {
	switch r {
	case "":
		return 0
	case ResultPending:
		return 1
	case ResultCodeIssued:
		return 2
	}
	return 3
}

// resultOf is the result of a login as it stands.
func resultOf(s LoginState) RecordResult {
	switch s {
	case StateDone, StateCodeIssued:
		return ResultCodeIssued
	case StateRedeemed:
		return ResultSignedIn
	case StateRefused:
		return ResultRefused
	case StateLocked:
		return ResultLocked
	case StateExpired:
		return ResultExpired
	}
	return ResultPending
}

// At is the record as it reads at that time: nobody writes down that a login
// ran out of time.
func (r *Record) At(now time.Time) RecordResult {
	if !r.EndsAt.IsZero() && now.After(r.EndsAt) && r.Result.Rank() < ResultExpired.Rank() {
		return ResultExpired
	}
	return r.Result
}

// Party is who speaks or hears in a step.
type Party string

const (
	PartyBrowser  Party = "browser"
	PartyRP       Party = "rp"
	PartyProvider Party = "provider"
	PartyPhone    Party = "phone"
	PartySMS      Party = "sms"
	PartyDancu    Party = "dancu" // the population database
	PartySandbox  Party = "sandbox"
)

// StepKind says what a step is about. The value is what API and pages show.
type StepKind string

const (
	StepAuthorize    StepKind = "authorize"     // browser → provider: the authorization request
	StepPage         StepKind = "page"          // browser → provider: a page of the login
	StepAccount      StepKind = "account"       // browser → provider: which account to go on with
	StepPassword     StepKind = "password"      // browser → provider: number and password
	StepOTP          StepKind = "otp"           // browser → provider: the one-time password
	StepResend       StepKind = "resend"        // browser → provider: another one-time password
	StepSMS          StepKind = "sms"           // provider → sms
	StepQR           StepKind = "qr"            // browser → provider: another QR code
	StepScan         StepKind = "scan"          // phone → provider
	StepConfirm      StepKind = "confirm"       // phone → provider
	StepRefuse       StepKind = "refuse"        // phone → provider
	StepDisown       StepKind = "disown"        // phone → provider: "không phải tôi"
	StepConsent      StepKind = "consent"       // browser → provider: the sharing page's form
	StepCancel       StepKind = "cancel"        // browser → provider
	StepAnswer       StepKind = "answer"        // provider → rp, by the browser: the authorization response
	StepDevice       StepKind = "device"        // rp → provider: a device authorization
	StepToken        StepKind = "token"         // rp → provider: a code for tokens
	StepRefresh      StepKind = "refresh"       // rp → provider
	StepUserinfo     StepKind = "userinfo"      // rp → provider
	StepIntrospect   StepKind = "introspect"    // rp → provider
	StepRevoke       StepKind = "revoke"        // rp → provider
	StepJWKS         StepKind = "jwks"          // rp → provider; traffic of the world
	StepDiscovery    StepKind = "discovery"     // rp → provider; traffic of the world
	StepEndSession   StepKind = "end_session"   // browser → provider
	StepLogoutNotice StepKind = "logout_notice" // provider → rp: back-channel logout
)

// RecordStep is one message and its answer.
type RecordStep struct {
	At   time.Time `json:"at"` // by the world's clock
	From Party     `json:"from"`
	To   Party     `json:"to"`
	Kind StepKind  `json:"kind"`

	Method string  `json:"method,omitempty"`
	Path   string  `json:"path,omitempty"` // below the issuer, or a whole URL of the relying party
	Status int     `json:"status,omitempty"`
	Millis float64 `json:"ms,omitempty"`   // how long the answer took, by the machine's clock
	Peer   string  `json:"peer,omitempty"` // address of the connection, without port
	Agent  string  `json:"user_agent,omitempty"`

	Request  []StepField   `json:"request,omitempty"`
	Response []StepField   `json:"response,omitempty"`
	Tokens   []IssuedToken `json:"tokens,omitempty"`
	Checks   []StepCheck   `json:"checks,omitempty"`
	Hints    []StepHint    `json:"hints,omitempty"`
	Error    string        `json:"error,omitempty"`  // OAuth error or key of the refusal
	Detail   string        `json:"detail,omitempty"` // the technical line of the refusal
}

// StepField is a parameter, a header or a member of a JSON answer. What is
// secret appears as "#" and a fingerprint, keyed by the world, so that the same
// code twice shows; what people choose (passwords) or what is short (one-time
// passwords) not even so.
type StepField struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	In     string `json:"in,omitempty"`     // query, body, header; "" in an answer
	Secret bool   `json:"secret,omitempty"` // Value is no value but a fingerprint or Hidden
}

// Where a field of a request stands.
const (
	InQuery  = "query"
	InBody   = "body"
	InHeader = "header"
)

// Hidden stands for a value of which not even a fingerprint is kept.
const Hidden = "•••"

// IssuedToken is what a JWT of the provider says; its signature is not kept.
// Numbers and phones in it are masked.
type IssuedToken struct {
	Use    string          `json:"use"` // id_token, logout_token
	Header json.RawMessage `json:"header"`
	Claims json.RawMessage `json:"claims"`
}

// StepCheck is something that was verified.
type StepCheck struct {
	Name   string `json:"name"` // redirect_uri, client_authentication, pkce, …
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

// StepHint names a text of the table of hints, and what goes into it.
type StepHint struct {
	ID   string   `json:"id"`
	Args []string `json:"args,omitempty"`
}

// RecordFilter chooses records; empty fields choose all.
type RecordFilter struct {
	ClientID string
	CCCDHash string
	Result   RecordResult // as it reads at Now
	Now      time.Time
	After    string // only those that began after this record
	Limit    int    // below 1 finds none
}

// Traffic counts fetches that belong to no login, such as of the key set.
type Traffic struct {
	Kind   StepKind
	Peer   string
	Agent  string
	At     time.Time // of the first one that is counted here
	LastAt time.Time
	Count  int
}

// MostRecords is how many records of a world are kept: the newest.
const MostRecords = 10_000

// MostTraffic is the same for rows of traffic.
const MostTraffic = 10_000

// RecordCCCDHash is what finds the records of a person.
func RecordCCCDHash(salt []byte, c CCCD) string {
	return keyedID(salt, "record", string(c))[:16]
}
