package templates

// Storybook shows every piece in every state, for those who change them.
type Storybook struct{ Page }
