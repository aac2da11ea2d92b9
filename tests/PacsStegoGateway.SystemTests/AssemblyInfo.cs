// Each test owns servers and measures its own deadlines: one after the other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
