using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Phantoms;

/// <summary>One of the series every phantom study has.</summary>
/// <param name="Folder">Name of its folder and of its streams of random numbers.</param>
/// <param name="Size">Rows and columns.</param>
/// <param name="FieldOfView">Millimetres over <paramref name="Size"/>.</param>
/// <param name="IsSigned">CT only: 16 bits signed with padding, else 12 bits unsigned.</param>
/// <param name="TransferSyntax">How its files are written.</param>
/// <param name="UsesUndefinedLength">Sequences and items delimited instead of counted.</param>
internal sealed record PhantomSeries(string Folder, string Modality, int Number, string BodyPart, string Description, int Size,
    double FieldOfView, bool IsSigned, TransferSyntax TransferSyntax, bool UsesUndefinedLength, Func<int, double, PhantomRandom, PhantomCanvas> Draw)
{
    public static IReadOnlyList<PhantomSeries> All { get; } =
    [
        new("ct-abdomen", "CT", 2, "ABDOMEN", "Abdomen venous 3.0 B30f", 512, 400, false, TransferSyntax.ExplicitVRLittleEndian, false, PhantomAnatomy.AbdomenCT),
        new("ct-chest", "CT", 3, "CHEST", "Thorax lung 1.5 STD", 512, 380, true, TransferSyntax.ExplicitVRLittleEndian, true, PhantomAnatomy.ChestCT),
        new("mr-abdomen", "MR", 4, "ABDOMEN", "t1_vibe_dixon_tra_in", 256, 380, false, TransferSyntax.ExplicitVRLittleEndian, true, PhantomAnatomy.AbdomenMR),
        new("mr-head", "MR", 5, "HEAD", "T1 SE axial", 320, 240, false, TransferSyntax.ImplicitVRLittleEndian, false, PhantomAnatomy.HeadMR),
    ];

    public string SopClassUID => Modality == "CT" ? SopClasses.CTImageStorage : SopClasses.MRImageStorage;

    /// <summary>Millimetres from slice to slice.</summary>
    public double Spacing => Modality == "CT" ? 3 : 5;
}
