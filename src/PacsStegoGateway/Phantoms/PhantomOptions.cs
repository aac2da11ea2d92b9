namespace PacsStegoGateway.Phantoms;

/// <summary>What <see cref="PhantomStudy"/> makes.</summary>
public sealed record PhantomOptions
{
    /// <summary>Most slices in one series: a series number and an instance number stay within four digits.</summary>
    public const int MaxSlicesPerSeries = 2000;

    /// <summary>Chooses person, UIDs, sizes and noise: the same seed gives the same bytes. Default 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Slices in each of the four series, 1 to <see cref="MaxSlicesPerSeries"/>. Default 6.</summary>
    public int SlicesPerSeries { get; init; } = 6;
}
