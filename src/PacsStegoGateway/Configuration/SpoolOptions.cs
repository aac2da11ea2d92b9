namespace PacsStegoGateway.Configuration;

/// <summary>The folder that holds every object from receipt until the PACS has it.</summary>
public sealed class SpoolOptions
{
    /// <summary>Folder on a local disk. Default <c>spool</c> (below DataFolder).</summary>
    public string Folder { get; set; } = "spool";

    /// <summary>Free space on that disk below which nothing is accepted (A700), MiB, 0 to 1048576. Default 1024; 0: no watermark.</summary>
    public long MinFreeMegabytes { get; set; } = 1024;

    /// <summary>Most that the spool may hold, MiB. Default 0: no quota, the watermark alone decides.</summary>
    public long QuotaMegabytes { get; set; }

    /// <summary>
    /// Largest object that is accepted, MiB, 1 to 1048576. Default 16384. It takes that much of the disk twice until the
    /// PACS has it, but not of the memory: long values are read in parts.
    /// </summary>
    public int MaxObjectMegabytes { get; set; } = 16384;
}
