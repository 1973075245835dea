package storage

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

type accountRow struct {
	World        string `gorm:"column:world;primaryKey"`
	CCCD         string `gorm:"column:cccd;primaryKey"`
	ID           string `gorm:"column:id"`
	CMND         string `gorm:"column:cmnd"`
	Name         string `gorm:"column:name"`
	Birthdate    string `gorm:"column:birthdate"`
	Gender       string `gorm:"column:gender"`
	Phone        string `gorm:"column:phone"`
	Email        string `gorm:"column:email"`
	Address      string `gorm:"column:address"`
	AccountLevel int    `gorm:"column:account_level"`
	AccountType  string `gorm:"column:account_type"`
	Status       string `gorm:"column:status"`
	WebLogin     bool   `gorm:"column:web_login"`
	SMS          string `gorm:"column:sms"`
	Note         string `gorm:"column:note"`
	PasswordHash string `gorm:"column:password_hash"`
	UpdatedMS    int64  `gorm:"column:updated_ms"`
}

func (accountRow) TableName() string { return "accounts" }

var (
	accounts       = newTable(&accountRow{})
	accountByCCCD  = accounts.by("cccd = ?")
	accountsAll    = accounts.by("cccd > ? ORDER BY cccd LIMIT ?")
	accountsByTerm = accounts.by("cccd IN (SELECT cccd FROM account_terms WHERE world = ? AND term >= ? AND term < ?) AND cccd > ? ORDER BY cccd LIMIT ?")
)

func newAccountRow(world string, a *vneid.Account) *accountRow {
	return &accountRow{
		World: world, CCCD: string(a.CCCD), ID: a.ID, CMND: a.CMND, Name: a.Name, Birthdate: a.Birthdate,
		Gender: a.Gender, Phone: string(a.Phone), Email: a.Email, Address: toJSON(a.Address),
		AccountLevel: a.AccountLevel, AccountType: a.AccountType, Status: string(a.Status), WebLogin: a.WebLogin,
		SMS: string(a.SMS), Note: a.Note, PasswordHash: a.PasswordHash, UpdatedMS: ms(a.UpdatedAt),
	}
}

func (r *accountRow) value() (vneid.Account, error) {
	a := vneid.Account{
		Persona: vneid.Persona{
			CCCD: vneid.CCCD(r.CCCD), CMND: r.CMND, Name: r.Name, Birthdate: r.Birthdate, Gender: r.Gender,
			Phone: vneid.PhoneNumber(r.Phone), Email: r.Email, AccountLevel: r.AccountLevel, AccountType: r.AccountType,
			Status: vneid.AccountStatus(r.Status), WebLogin: r.WebLogin, SMS: vneid.SMSDelivery(r.SMS), Note: r.Note,
		},
		ID: r.ID, PasswordHash: r.PasswordHash, UpdatedAt: fromMS(r.UpdatedMS),
	}
	return a, fromJSON(r.Address, &a.Address)
}

type termRow struct {
	World string `gorm:"column:world;primaryKey"`
	Term  string `gorm:"column:term;primaryKey"`
	CCCD  string `gorm:"column:cccd;primaryKey"`
}

func (termRow) TableName() string { return "account_terms" }

var (
	termRows = newTable(&termRow{})
	dropTerm = newQuery("DELETE FROM account_terms WHERE world = ? AND term = ? AND cccd = ?")
)

func (t *tx) Account(c vneid.CCCD) (*vneid.Account, error) {
	row, err := find[accountRow](t, "account", accounts, &accountByCCCD, string(c))
	if err != nil {
		return nil, err
	}
	a, err := row.value()
	return &a, err
}

// Accounts finds accounts whose number or phone begins with the query, or
// whose name has words that do, in this order. The empty query finds all; a
// limit below 1 finds none.
func (t *tx) Accounts(query string, limit int) ([]vneid.Account, error) {
	return t.AccountsAfter(query, "", limit)
}

func (t *tx) AccountsAfter(query string, after vneid.CCCD, limit int) ([]vneid.Account, error) {
	if limit < 1 || !storable(query, string(after)) {
		return nil, nil
	}
	find, args := accountsAll, []any{t.world, string(after), limit}
	if q := foldQuery(query); q != "" {
		find, args = accountsByTerm, []any{t.world, t.world, q, q + "\U0010ffff", string(after), limit}
	}
	rows, err := list[accountRow](t, "accounts", accounts, find, args...)
	if err != nil {
		return nil, err
	}
	return accountValues(rows)
}

func (t *tx) AccountsByCMND(cmnd string, limit int) ([]vneid.Account, error) {
	if limit < 1 || cmnd == "" || !storable(cmnd) {
		return nil, nil
	}
	var rows []accountRow
	err := t.read("accounts by CMND", func() error {
		return t.orm().Where("world = ? AND cmnd = ? AND cmnd <> ''", t.world, cmnd).Order("cccd").Limit(limit).Find(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	return accountValues(rows)
}

func accountValues(rows []accountRow) (found []vneid.Account, err error) {
	found = make([]vneid.Account, len(rows))
	for i := range rows {
		if found[i], err = rows[i].value(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (t *tx) PutAccount(a *vneid.Account) error {
	old, err := t.Account(a.CCCD)
	if err != nil && !errors.Is(err, vneid.ErrNotFound) {
		return err
	}
	if err := t.put("put account", accounts, a, newAccountRow(t.world, a)); err != nil {
		return err
	}
	was, now := terms(old), terms(a)
	if slices.Equal(was, now) {
		return nil
	}
	return t.write("put account's search terms", func() error {
		for _, term := range was {
			if err := t.change(dropTerm, t.world, term, string(a.CCCD)); err != nil {
				return err
			}
		}
		for _, term := range now {
			if err := t.change(termRows.insert, t.world, term, string(a.CCCD)); err != nil {
				return err
			}
		}
		return nil
	})
}

// terms is what an account is found by, sorted, none twice. When this
// changes, a migration has to write account_terms anew.
func terms(a *vneid.Account) []string {
	if a == nil {
		return nil
	}
	list := []string{string(a.CCCD)}
	if a.Phone != "" {
		list = append(list, string(a.Phone))
	}
	words := strings.Fields(fold(a.Name))
	for i := range words {
		list = append(list, strings.Join(words[i:], " "))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// fold makes a name comparable: lower case, no diacritics, single spaces.
func fold(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == 'đ' || r == 'Đ': // a letter of its own: it does not decompose
			return 'd'
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(s))
	return strings.Join(strings.Fields(s), " ")
}

// foldQuery is fold for what people type: numbers may have gaps, and phones
// the country's code.
func foldQuery(query string) string {
	q := fold(query)
	digits := strings.NewReplacer(" ", "", ".", "", "-", "").Replace(q)
	if rest, ok := strings.CutPrefix(digits, "+84"); ok {
		digits = "0" + rest
	}
	if digits != "" && strings.Trim(digits, "0123456789") == "" {
		return digits
	}
	return q
}

type clientRow struct {
	World           string `gorm:"column:world;primaryKey"`
	ID              string `gorm:"column:id;primaryKey"`
	Metadata        string `gorm:"column:metadata"`
	SecretHash      string `gorm:"column:secret_hash"`
	LoopbackAnyPort bool   `gorm:"column:loopback_any_port"`
	CreatedMS       int64  `gorm:"column:created_ms"`
	UpdatedMS       int64  `gorm:"column:updated_ms"`
}

func (clientRow) TableName() string { return "clients" }

var (
	clients    = newTable(&clientRow{})
	clientByID = clients.by("id = ?")
)

func (r *clientRow) value() (vneid.Client, error) {
	m, err := clientMetadata.parse(r.Metadata)
	return vneid.Client{ClientMetadata: m, SecretHash: r.SecretHash, LoopbackAnyPort: r.LoopbackAnyPort,
		CreatedAt: fromMS(r.CreatedMS), UpdatedAt: fromMS(r.UpdatedMS)}, err
}

func (t *tx) Client(id string) (*vneid.Client, error) {
	row, err := find[clientRow](t, "client", clients, &clientByID, id)
	if err != nil {
		return nil, err
	}
	c, err := row.value()
	return &c, err
}

func (t *tx) Clients() ([]vneid.Client, error) {
	var rows []clientRow
	err := t.read("clients", func() error {
		return t.orm().Where("world = ?", t.world).Order("id").Find(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	list := make([]vneid.Client, len(rows))
	for i := range rows {
		if list[i], err = rows[i].value(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (t *tx) PutClient(c *vneid.Client) error {
	return t.put("put client", clients, c, &clientRow{World: t.world, ID: c.ClientID, Metadata: toJSON(c.ClientMetadata),
		SecretHash: c.SecretHash, LoopbackAnyPort: c.LoopbackAnyPort, CreatedMS: ms(c.CreatedAt), UpdatedMS: ms(c.UpdatedAt)})
}

type consentRow struct {
	World       string `gorm:"column:world;primaryKey"`
	CCCD        string `gorm:"column:cccd;primaryKey"`
	ClientID    string `gorm:"column:client_id;primaryKey"`
	Scopes      string `gorm:"column:scopes"`
	TextVersion string `gorm:"column:text_version"`
	GivenMS     int64  `gorm:"column:given_ms"`
	WithdrawnMS int64  `gorm:"column:withdrawn_ms"`
}

func (consentRow) TableName() string { return "consents" }

var (
	consents    = newTable(&consentRow{})
	consentByID = consents.by("cccd = ? AND client_id = ?")
)

func (t *tx) Consent(c vneid.CCCD, clientID string) (*vneid.Consent, error) {
	var row consentRow
	if err := t.take("consent", consents, consentByID, &row, string(c), clientID); err != nil {
		return nil, err
	}
	v := &vneid.Consent{CCCD: vneid.CCCD(row.CCCD), ClientID: row.ClientID, TextVersion: row.TextVersion,
		GivenAt: fromMS(row.GivenMS), WithdrawnAt: fromMS(row.WithdrawnMS)}
	var err error
	v.Scopes, err = listFromJSON(row.Scopes)
	return v, err
}

func (t *tx) PutConsent(c *vneid.Consent) error {
	return t.put("put consent", consents, c, &consentRow{World: t.world, CCCD: string(c.CCCD), ClientID: c.ClientID,
		Scopes: toJSON(c.Scopes), TextVersion: c.TextVersion, GivenMS: ms(c.GivenAt), WithdrawnMS: ms(c.WithdrawnAt)})
}
