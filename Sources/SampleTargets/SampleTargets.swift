// SampleTargets
