// TargetsAPI
