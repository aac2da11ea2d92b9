using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Commands;

/// <summary>What a person can do about each reason, in one table; <c>docs/operations.md</c> tells it at length.</summary>
internal static class QuarantineAdvice
{
    private const string AtTheDoor = "Refused at the door, nothing is kept: see the audit trail.";
    private const string AtRetrieval = "Concerns giving originals back, not receiving: see the audit trail.";

    private static readonly Dictionary<RefusalReason, string> Advice = new()
    {
        [RefusalReason.None] = "No reason was recorded: retry.",
        [RefusalReason.MalformedDataSet] = "Have the modality send it again: the bytes, or our file of them, are damaged; then discard this one if the new one came as another row.",
        [RefusalReason.DataSetDoesNotMatchCommand] = AtTheDoor,
        [RefusalReason.MissingIdentifier] = "Correct the object at its source and send it again; then discard this one.",
        [RefusalReason.UnsupportedObject] = "This kind of object cannot be protected: export it if it is needed, keep it off this route, and discard it; retry after an update that supports it.",
        [RefusalReason.NoPixelData] = "Nothing to hide the identity in: keep such objects off this route, export it if it is needed, and discard it.",
        [RefusalReason.PixelsNotDecodable] = "If the detail names a package, install it and retry; else have the modality send uncompressed grayscale, then discard this one; retry after an update that reads it.",
        [RefusalReason.BurnedInIdentity] = "The pixels show identity: export it, have a person blank it and give it a new SOP Instance UID, or discard it. A retry comes to the same end.",
        [RefusalReason.AlreadyProtected] = "One of our own protected images: find out who sends images from the PACS here and stop it, then discard this one.",
        [RefusalReason.NoBackground] = "Too little background for the symbol: retry after a change of the embedding settings or the model, else export and discard it.",
        [RefusalReason.ProofFailed] = "The proof failed, which is a fault of ours: retry once; if it comes back, keep it and report it with the detail.",
        [RefusalReason.ConflictingContent] = "Two objects bear one UID: export it, find out at the modality which is right, and discard this one or give it a UID of its own and send that.",
        [RefusalReason.NothingHidden] = AtRetrieval,
        [RefusalReason.KeyUnavailable] = "Our file of it is encrypted under a key that the ring does not hold or has retired: restore the key ring from its backup and retry, or have the modality send it again and discard this one.",
        [RefusalReason.PixelsAltered] = AtRetrieval,
        [RefusalReason.OriginalNotProven] = AtRetrieval,
        [RefusalReason.OutOfResources] = "Make room on the disk, then retry.",
        [RefusalReason.StoreUnavailable] = "Bring the database back, then retry.",
        [RefusalReason.NotAuthorized] = AtTheDoor,
        [RefusalReason.NoRoute] = "Add a rule that holds for it, or one without conditions at the end (psg route tells which rule a file takes), and retry; else discard it.",
        [RefusalReason.RefusedByRoute] = "A rule of the configuration wants it to go nowhere: discard it, or change the rule, and retry.",
        [RefusalReason.RefusedByDestination] = "No destination has it: its last delivery was dropped from the queue that the detail names. Retry to send it again, or export and discard it.",
        [RefusalReason.TooLarge] = AtTheDoor,
        [RefusalReason.SpoolFileDamaged] = "Our file of it is damaged: look after the disk, have the modality send it again, and discard this one if the new one came as another row.",
    };

    /// <summary>A sentence for every reason; of a row by a later version, that its documentation knows.</summary>
    public static string For(string? reason) =>
        Enum.TryParse(reason ?? nameof(RefusalReason.None), out RefusalReason known) && Advice.TryGetValue(known, out string? advice)
            ? advice
            : "This version does not know the reason: see the documentation of the version that wrote it.";
}
