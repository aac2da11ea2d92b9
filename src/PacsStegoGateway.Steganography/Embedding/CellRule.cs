namespace PacsStegoGateway.Steganography.Embedding;

/// <summary>What embedding does to a cell.</summary>
internal enum CellMode : byte
{
    /// <summary>Nothing, and the receiver sees that by itself.</summary>
    Untouched,

    /// <summary>One-sided: the step is added to two of the four samples.</summary>
    Raised,

    /// <summary>Zero-sum: added to two samples, taken from the other two.</summary>
    Balanced,

    /// <summary>Nothing, because raising it would cross the floor; the receiver cannot tell it from a raised cell by itself.</summary>
    HeldAtFloor,

    /// <summary>Nothing, because a sample has no room; listed by its index.</summary>
    Listed,
}

/// <summary>
/// Which cells are changed and how: the same numbers at both ends, sealed into the message.
/// <code>
/// sum of the cell    ..... floor - rise | floor | ......... ceiling | .....
/// in the cover         Raised           | Held  |     Balanced      | Untouched
/// in the stego image          P zone (sum at most floor)  Z zone
/// </code>
/// A raised cell stays at or below the floor, a balanced one keeps its sum: sums raised to the floor do not change.
/// </summary>
/// <param name="Step">Twice the amplitude A of the design: what a raised sample gains, in stored units; 1 to 255.</param>
/// <param name="BitsPerCell">1: the four samples carry one bit (checkerboard); 2: each row of two carries one.</param>
/// <param name="Floor">Greatest sum of the P zone; null when there is none.</param>
/// <param name="Ceiling">Greatest sum of the Z zone; at most the floor when there is none.</param>
/// <param name="Minimum">Least value a sample may get.</param>
/// <param name="Maximum">Greatest value a sample may get.</param>
/// <param name="Padding">Values that mean "no image here", or null.</param>
/// <param name="SkipsPadding">Cells that hold padding stay untouched and no other sample becomes padding.</param>
internal readonly record struct CellRule(
    int Step, int BitsPerCell, int? Floor, int Ceiling, int Minimum, int Maximum, PaddingRange? Padding, bool SkipsPadding)
{
    public const int GreatestStep = 255;

    /// <summary>What a balanced sample gains or loses: A, rounded up to a whole unit.</summary>
    public int BalancedStep => (Step + 1) / 2;

    /// <summary>By how much raising changes a cell's sum.</summary>
    public int Rise => 2 * Step;

    /// <summary>Decides on a cell of the cover. Independent of the message.</summary>
    public CellMode OnCover(int a, int b, int c, int d)
    {
        int sum = a + b + c + d;
        if (sum > Ceiling && !(sum <= Floor))
        {
            return CellMode.Untouched;
        }

        if (SkipsPadding && HoldsPadding(a, b, c, d))
        {
            return CellMode.Untouched;
        }

        int least = Math.Min(Math.Min(a, b), Math.Min(c, d));
        int greatest = Math.Max(Math.Max(a, b), Math.Max(c, d));
        if (sum <= Floor)
        {
            return sum > Floor - Rise ? CellMode.HeldAtFloor
                : greatest + Step > Maximum || (SkipsPadding && NearPadding(a, b, c, d, Step)) ? CellMode.Listed
                : CellMode.Raised;
        }

        int balanced = BalancedStep;
        bool hasRoom = least - balanced >= Minimum && greatest + balanced <= Maximum
            && !(SkipsPadding ? NearPadding(a, b, c, d, balanced) : HoldsPadding(a, b, c, d));
        return hasRoom ? CellMode.Balanced : CellMode.Listed;
    }

    /// <summary>
    /// Decides on a cell of the stego image that is not listed. <see cref="CellMode.HeldAtFloor"/> here means "perhaps":
    /// the sealed bits say which of these cells were held and which were raised.
    /// </summary>
    public CellMode OnStego(int a, int b, int c, int d)
    {
        int sum = a + b + c + d;
        if ((sum > Ceiling && !(sum <= Floor)) || (SkipsPadding && HoldsPadding(a, b, c, d)))
        {
            return CellMode.Untouched;
        }

        return sum <= Floor ? (sum > Floor - Rise ? CellMode.HeldAtFloor : CellMode.Raised) : CellMode.Balanced;
    }

    public bool HoldsPadding(int a, int b, int c, int d) =>
        Padding is { } padding && (padding.Contains(a) || padding.Contains(b) || padding.Contains(c) || padding.Contains(d));

    private bool NearPadding(int a, int b, int c, int d, int distance)
    {
        if (Padding is not { } padding)
        {
            return false;
        }

        PaddingRange near = new(padding.Least - distance, padding.Greatest + distance);
        return near.Contains(a) || near.Contains(b) || near.Contains(c) || near.Contains(d);
    }
}

/// <summary>Stored values from Pixel Padding Value to Pixel Padding Range Limit (PS3.3 C.7.5.1.1.2), in order.</summary>
internal readonly record struct PaddingRange(int Least, int Greatest)
{
    public bool Contains(int value) => value >= Least && value <= Greatest;
}
