package vneid

import (
	"context"
	"time"
)

// Store remembers everything, each row in its world. Package storage
// implements it for SQLite and PostgreSQL; storagetest holds both to what is
// written here.
//
// View, Peek and Update hand fn a [Tx] that is good until fn returns. fn may run more
// than once (a conflict, a busy database), so it changes nothing outside the
// Tx except variables it sets anew each time. An error of fn rolls everything
// back and comes out unchanged. fn is short and waits for nobody: others may
// share its commit.
//
// An Update never overwrites what another one changed after it began: it runs
// again. What fn only read may be outdated when it commits. ErrUnavailable of
// the commit itself leaves open whether it happened; so whatever must happen
// once is claimed by a row.
type Store interface {
	View(ctx context.Context, world string, fn func(Tx) error) error
	// Peek is View without a snapshot: each getter sees a moment of its own. Where
	// fn needs no more, it is cheaper.
	Peek(ctx context.Context, world string, fn func(Tx) error) error
	Update(ctx context.Context, world string, fn func(Tx) error) error

	Worlds(ctx context.Context) ([]WorldRecord, error) // ordered by ID
	World(ctx context.Context, id string) (WorldRecord, error)
	WorldsNamed(ctx context.Context, ids []string) ([]WorldRecord, error) // those that there are, in any order
	CountWorlds(ctx context.Context) (int, error)
	// CreateWorld inserts a record; of a world that had this ID before nothing
	// is left. ErrExists for a taken ID.
	CreateWorld(ctx context.Context, w WorldRecord) error
	// UseWorld notes when a world was used.
	UseWorld(ctx context.Context, id string, at time.Time) error
	// PutWorld inserts or replaces a record; a salt that is there stays.
	PutWorld(ctx context.Context, w WorldRecord) error
	// ClearWorld removes every row of a world but its record and its signing
	// keys: what a reset to the seed begins with.
	ClearWorld(ctx context.Context, world string) error
	// DeleteWorld removes the world with this salt, its record and everything in
	// it; where there is none any more, what somebody still wrote for it. One
	// that was made again has another salt, and stays.
	DeleteWorld(ctx context.Context, world string, salt []byte) error
	// LogoutWorlds are the worlds that have logout notices.
	LogoutWorlds(ctx context.Context) ([]string, error)
	// Collect removes rows of a world that ended more than a day ago by its
	// clock: tokens, logins, sessions, throttles and messages; of logins in
	// which nobody proved anything, those that ended more than an hour ago. A
	// login stays while it has tokens, so that a replay of its code revokes them. It works
	// in small transactions; what it removed stays so after an error.
	Collect(ctx context.Context, w *World) (removed int, err error)

	// Watch calls fn after commits that woke a login by [Tx.Wake]: those of
	// this process, and where the database can tell, those of others. A
	// wake-up says "look"; it may be lost or come twice. fn must not block.
	Watch(fn func(world, login string)) (stop func())

	Ping(ctx context.Context) error
	Close() error
}

// Ahead are keys of rows that will be read next: what [Tx.LoginWith],
// LoginStarting, DeviceWith, Account and Throttle are asked for.
type Ahead struct {
	Login      string
	LoginStart string
	Device     string
	Account    CCCD
	Throttles  []string
}

// Tx is one transaction in one world. Getters answer ErrNotFound; Insert
// answers ErrExists for a taken key, perhaps only when fn runs again; Put
// inserts or replaces.
type Tx interface {
	// Ahead lets a database behind a network read several rows in one trip. It
	// changes nothing about what the getters answer.
	Ahead(Ahead)

	Account(CCCD) (*Account, error)
	Accounts(query string, limit int) ([]Account, error) // by number, name (any case) or phone; ordered by CCCD
	// AccountsAfter goes on with a list of Accounts after somebody.
	AccountsAfter(query string, after CCCD, limit int) ([]Account, error)
	AccountsByCMND(cmnd string, limit int) ([]Account, error) // ordered by CCCD
	PutAccount(*Account) error
	// DeleteAccount removes a person with what is theirs alone: device, phone,
	// activations, consents. ErrNotFound when there is nobody.
	DeleteAccount(CCCD) error

	RegisterEntry(CCCD) (*RegisterEntry, error)
	PutRegisterEntry(*RegisterEntry) error
	RegisterConsumer(keyHash string) (*RegisterConsumer, error)
	PutRegisterConsumer(*RegisterConsumer) error

	Client(id string) (*Client, error)
	Clients() ([]Client, error) // ordered by ID
	PutClient(*Client) error
	// DeleteClient removes a client with its consents and logout notices.
	// ErrNotFound when there is none.
	DeleteClient(id string) error

	Login(id string) (*Login, error)
	// LoginWith reads a login with its client and person, nil where there is
	// none (any more).
	LoginWith(id string) (*Login, *Client, *Account, error)
	// LoginStarting reads the login whose id begins so, with its client, nil as
	// above. Where several do, it is any of them.
	LoginStarting(start string) (*Login, *Client, error)
	// LoginByCodeWith reads a login with its person and session, nil as above.
	LoginByCodeWith(codeHash string) (*Login, *Account, *Session, error)
	LoginByCode(codeHash string) (*Login, error)
	LoginByQRShort(shortHash string) (*Login, error) // the newest that shows this code
	// LoginsOf lists a person's logins since then, newest first.
	LoginsOf(c CCCD, since time.Time, limit int) ([]Login, error)
	// LoginVersions are the stored versions of these logins; unknown ones are
	// absent.
	LoginVersions(ids []string) (map[string]int, error)
	// Wake tells whoever watches that a login changed, when this commits.
	Wake(login string) error
	InsertLogin(*Login) error
	// SaveLogin writes a login read in this or an earlier transaction. When
	// its Version is not the stored one any more, Update runs fn again. The
	// stored Version, and l's, grow by one.
	SaveLogin(l *Login) error

	Session(secretHash string) (*Session, error)
	SessionByID(sid string) (*Session, error)
	// SessionsOfBrowser are those not ended that a browser began, expired ones
	// among them; none for the hash "".
	SessionsOfBrowser(browserHash string) ([]Session, error)
	// Sessions lists those not ended, expired ones among them, newest first; of
	// everybody for the CCCD "".
	Sessions(c CCCD, limit int) ([]Session, error)
	InsertSession(*Session) error
	SaveSession(*Session) error // versioned like SaveLogin; SecretHash may change

	Device(id string) (*Device, error)
	DeviceWith(id string) (*Device, *Account, error) // with its person, nil as above
	DeviceOf(CCCD) (*Device, error)
	PutDevice(*Device) error // replaces the person's former one

	Devices(after CCCD, limit int) ([]Device, error) // ordered by CCCD

	Activation(id string) (*Activation, error)
	PutActivation(*Activation) error
	DeleteActivation(id string) error

	Handset(id string) (*Handset, error)
	HandsetOf(deviceID string) (*Handset, error) // that signs for this device
	PutHandset(*Handset) error

	Consent(c CCCD, clientID string) (*Consent, error)
	PutConsent(*Consent) error

	InsertTokens(...*Token) error
	Token(hash string) (*Token, error)
	TokenWith(hash string) (*Token, *Account, error) // with its person, nil as above
	// UseToken claims a token once: true for exactly one caller, while it is
	// neither used nor revoked.
	UseToken(hash string, at time.Time) (bool, error)
	RevokeToken(hash string, at time.Time) error
	RevokeGrant(grantID string, at time.Time) error
	// RevokeTokensOf revokes every token of a person, or of a client.
	RevokeTokensOf(c CCCD, clientID string, at time.Time) error
	// RevokeSessionTokens revokes the access tokens of a session.
	RevokeSessionTokens(sid string, at time.Time) error

	// ClientsOfSession lists who got tokens in a session, each once.
	ClientsOfSession(sid string) ([]SessionClient, error)
	LogoutNotices(limit int) ([]LogoutNotice, error) // the earliest due first
	PutLogoutNotice(*LogoutNotice) error             // one for each client and session
	DeleteLogoutNotice(clientID, sid string) error   // none is as good as deleted

	// InsertAssertion remembers, until then, that the assertion of a client with
	// this hash was used.
	InsertAssertion(hash string, until time.Time) error

	Throttle(key string) (*Throttle, error) // an empty one when there is none
	PutThrottle(*Throttle) error

	// Counts counts the rows of a world, but none of them much beyond most.
	Counts(most int, now time.Time) (Counts, error)

	SigningKeys() ([]SigningKey, error)
	PutSigningKey(*SigningKey) error

	// AddToRecord adds a part to a record, and begins it when it is new. An empty
	// field leaves the stored one; Result, Error and EndsAt stay too when the
	// stored result has a higher rank.
	AddToRecord(part *Record) error
	// Records lists records without their steps, the last begun first.
	Records(RecordFilter) ([]Record, error)
	Record(id string) (*Record, error)
	// StepsOfRecords are the steps of these records; unknown ones are absent.
	StepsOfRecords(ids []string) (map[string][]RecordStep, error)
	// PruneRecords removes all but the newest records, and rows of traffic.
	PruneRecords(keep, traffic int) error
	AddTraffic(*Traffic) error
	// Traffic lists what ended after that time, the oldest first.
	Traffic(since time.Time, limit int) ([]Traffic, error)

	InsertSMS(*SMS) error
	// SMSTo lists messages visible at that time, newest first; to "" = all.
	SMSTo(to PhoneNumber, at time.Time, limit int) ([]SMS, error)
}

// Hasher makes and checks slow hashes of passwords. It bounds how many run at
// a time, so Verify may wait; it answers false for a hash it cannot read.
type Hasher interface {
	Hash(ctx context.Context, password string) (string, error)
	Verify(ctx context.Context, password, hash string) (bool, error)
	// Decoy is a hash that belongs to no password and costs as much to check
	// as any: an unknown number takes as long as a wrong password.
	Decoy() string
}

// SMSGateway hands a message to the telephone network.
type SMSGateway interface {
	// Take takes a message in the transaction that decided to send it: whoever is
	// told of a message has one on its way. It may run again. c is whose message
	// it is, "" where the sender does not know.
	Take(ctx context.Context, tx Tx, c CCCD, sms SMS) error
	// Taken comes after the commit.
	Taken(ctx context.Context, sms SMS)
}
