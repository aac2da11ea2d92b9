namespace PacsStegoGateway.Imaging.Rendering;

/// <summary>VOI LUT Function (0028,1056), PS3.3 C.11.2.1.3.</summary>
public enum VoiFunction
{
    /// <summary>C.11.2.1.2.1, also what an absent function means.</summary>
    Linear,

    /// <summary>C.11.2.1.3.2.</summary>
    LinearExact,

    /// <summary>C.11.2.1.3.1.</summary>
    Sigmoid,
}

/// <summary>A display window, in units after the modality transformation (HU for CT).</summary>
/// <param name="Center">Window Center (0028,1050).</param>
/// <param name="Width">Window Width (0028,1051), greater than 0.</param>
/// <param name="Function">
/// How values between the edges are mapped. LINEAR is defined for widths from 1 up; a narrower one, which floating point
/// images have, is taken as LINEAR_EXACT.
/// </param>
public readonly record struct DisplayWindow(double Center, double Width, VoiFunction Function = VoiFunction.Linear)
{
    /// <summary>The window that maps one value to black and another to white.</summary>
    public static DisplayWindow Between(double black, double white) =>
        new((black + white) / 2, Math.Max(white - black, double.Epsilon), VoiFunction.LinearExact);

    /// <summary>True when it can be applied: both numbers finite, the width above zero.</summary>
    public bool IsUsable => double.IsFinite(Center) && double.IsFinite(Width) && Width > 0;

    /// <summary>Maps a value to 0 (black) to 1 (white).</summary>
    public double Apply(double value) => Function switch
    {
        VoiFunction.Sigmoid => 1 / (1 + Math.Exp(-4 * (value - Center) / Width)),
        VoiFunction.Linear when Width > 1 => Math.Clamp(((value - (Center - 0.5)) / (Width - 1)) + 0.5, 0, 1),
        VoiFunction.Linear when Width == 1 => value <= Center - 0.5 ? 0 : 1,
        _ => Math.Clamp(((value - Center) / Width) + 0.5, 0, 1),
    };
}
