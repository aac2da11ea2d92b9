namespace PacsStegoGateway.Audit;

/// <summary>How it ended; the values are those of DICOM audit messages (PS3.15 A.5, EventOutcomeIndicator).</summary>
public enum AuditOutcome
{
    Success = 0,
    MinorFailure = 4,
    SeriousFailure = 8,
    MajorFailure = 12,
}

/// <summary>One entry of the trail. Holds pseudonyms only; <see cref="Detail"/> is our own words and numbers, never a peer's text.</summary>
/// <remarks>
/// Texts are cut after <see cref="LongestText"/> characters, and characters that no database takes become '?' (<see cref="Storable"/>).
/// </remarks>
public sealed record AuditRecord(AuditEvent Event, AuditOutcome Outcome = AuditOutcome.Success)
{
    /// <summary>Characters of the longest text that is kept whole.</summary>
    public const int LongestText = 2000;

    /// <summary>Bytes of the longest sealed identity.</summary>
    public const int LongestSealed = 1 << 16;

    /// <summary>Given by the store: 1, 2, 3 and so on without a gap, in the order of commitment; 0 before.</summary>
    public long Sequence { get; init; }

    /// <summary>UTC, milliseconds; given by the store.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>The gateway that wrote the entry; given by the store.</summary>
    public string Node { get; init; } = "";

    public string? CallingAE { get; init; }

    public string? RemoteAddress { get; init; }

    /// <summary>Who: the user identity that the association negotiated, or the account at the command line. In the clear: operators are no patients.</summary>
    public string? User { get; init; }

    /// <summary>Purpose of use, as the caller stated it.</summary>
    public string? Purpose { get; init; }

    /// <summary>Pseudonym of the patient.</summary>
    public string? Patient { get; init; }

    /// <summary>Pseudonym of the Study Instance UID.</summary>
    public string? StudyUID { get; init; }

    /// <summary>Pseudonym of the SOP Instance UID.</summary>
    public string? SopUID { get; init; }

    /// <summary>A <c>RefusalReason</c> by name, or null.</summary>
    public string? Reason { get; init; }

    public string? Detail { get; init; }

    /// <summary>The original identity, sealed (an <c>EssentialIdentity</c> of the vault): what an auditor with the key ring may open.</summary>
    public byte[]? Sealed { get; init; }

    /// <summary>As it can be stored and proved: both databases give back exactly these values.</summary>
    /// <exception cref="ArgumentException"><see cref="Sealed"/> is too long.</exception>
    public AuditRecord Storable() => Sealed is { Length: > LongestSealed }
        ? throw new ArgumentException("The sealed identity is too long.")
        : this with
        {
            At = DateTimeOffset.FromUnixTimeMilliseconds(At.ToUnixTimeMilliseconds()),
            Node = Clean(Node)!,
            CallingAE = Clean(CallingAE),
            RemoteAddress = Clean(RemoteAddress),
            User = Clean(User),
            Purpose = Clean(Purpose),
            Patient = Clean(Patient),
            StudyUID = Clean(StudyUID),
            SopUID = Clean(SopUID),
            Reason = Clean(Reason),
            Detail = Clean(Detail),
        };

    /// <summary>No control characters, no half surrogates (PostgreSQL takes no NUL, and no encoding takes a half), not too long.</summary>
    private static string? Clean(string? text)
    {
        if (text is null || (text.Length <= LongestText && text.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0
            && text.AsSpan().IndexOfAnyInRange('\x7f', '\x9f') < 0 && text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') < 0))
        {
            return text;
        }

        var cleaned = new System.Text.StringBuilder(Math.Min(text.Length, LongestText));
        foreach (System.Text.Rune rune in text.EnumerateRunes())
        {
            if (cleaned.Length + rune.Utf16SequenceLength > LongestText)
            {
                break;
            }

            cleaned.Append(System.Text.Rune.IsControl(rune) ? "?" : rune.ToString());
        }

        return cleaned.ToString();
    }
}
