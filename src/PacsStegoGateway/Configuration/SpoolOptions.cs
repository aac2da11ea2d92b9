namespace PacsStegoGateway.Configuration;

/// <summary>The folder that holds every object from receipt until the PACS has it.</summary>
public sealed class SpoolOptions
{
    /// <summary>Folder on a disk whose flushes reach the platter. Gateways may share it. Default <c>spool</c> (below DataFolder).</summary>
    public string Folder { get; set; } = "spool";

    /// <summary>Free space on that disk below which nothing is accepted (A700), MiB; counted off is what protecting the objects at hand will take, 0 to 1048576. Default 1024; 0: no watermark.</summary>
    public long MinFreeMegabytes { get; set; } = 1024;

    /// <summary>Most that the spool may hold, MiB. Default 0: no quota, the watermark alone decides.</summary>
    public long QuotaMegabytes { get; set; }

    /// <summary>
    /// Largest object that is accepted, MiB, 1 to 1048576. Default 16384; a larger one is refused for good (C000). It takes that much of the disk twice until the
    /// PACS has it, but not of the memory: long values are read in parts.
    /// </summary>
    public int MaxObjectMegabytes { get; set; } = 16384;

    /// <summary>
    /// False writes objects to the disk as they are, identity included: for measuring, or where the disk itself is encrypted and
    /// nobody else can read it. Default true. Files of either kind stay readable whatever this says.
    /// </summary>
    public bool Encrypt { get; set; } = true;
}
