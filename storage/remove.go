package storage

import "github.com/vneid-sandbox/vneid-sandbox/vneid"

// deletion is what goes with a row that a tester removes: one statement for
// each table, all with the same key.
type deletion []query

func newDeletion(column string, tables ...string) (d deletion) {
	for _, table := range tables {
		d = append(d, newQuery("DELETE FROM "+table+" WHERE world = ? AND "+column+" = ?"))
	}
	return d
}

var (
	deleteAccount = newDeletion("cccd", "account_terms", "devices", "activations", "handsets", "consents")
	deleteClient  = newDeletion("client_id", "consents", "logout_notices")

	deleteAccountRow = newQuery("DELETE FROM accounts WHERE world = ? AND cccd = ?")
	deleteClientRow  = newQuery("DELETE FROM clients WHERE world = ? AND id = ?")
)

func (t *tx) DeleteAccount(c vneid.CCCD) error {
	return t.remove("delete account", deleteAccountRow, deleteAccount, string(c))
}

func (t *tx) DeleteClient(id string) error {
	return t.remove("delete client", deleteClientRow, deleteClient, id)
}

// remove deletes a row and what goes with it.
func (t *tx) remove(what string, row query, with deletion, key string) error {
	return t.write(what, func() error {
		if !storable(t.world, key) {
			return vneid.ErrNotFound
		}
		n, err := t.exec(row, t.world, key)
		if err == nil && n == 0 {
			return vneid.ErrNotFound
		}
		for i := 0; err == nil && i < len(with); i++ {
			_, err = t.exec(with[i], t.world, key)
		}
		return err
	})
}
