namespace PacsStegoGateway.Dicom;

/// <summary>
/// Value representations of PS3.5 Table 6.2-1. The numeric value is the two ASCII letters as they stand in an
/// Explicit VR header, first letter in the high byte, so that decoding a VR is a comparison and no table.
/// </summary>
public enum Vr : ushort
{
    AE = ('A' << 8) | 'E',
    AS = ('A' << 8) | 'S',
    AT = ('A' << 8) | 'T',
    CS = ('C' << 8) | 'S',
    DA = ('D' << 8) | 'A',
    DS = ('D' << 8) | 'S',
    DT = ('D' << 8) | 'T',
    FD = ('F' << 8) | 'D',
    FL = ('F' << 8) | 'L',
    IS = ('I' << 8) | 'S',
    LO = ('L' << 8) | 'O',
    LT = ('L' << 8) | 'T',
    OB = ('O' << 8) | 'B',
    OD = ('O' << 8) | 'D',
    OF = ('O' << 8) | 'F',
    OL = ('O' << 8) | 'L',
    OV = ('O' << 8) | 'V',
    OW = ('O' << 8) | 'W',
    PN = ('P' << 8) | 'N',
    SH = ('S' << 8) | 'H',
    SL = ('S' << 8) | 'L',
    SQ = ('S' << 8) | 'Q',
    SS = ('S' << 8) | 'S',
    ST = ('S' << 8) | 'T',
    SV = ('S' << 8) | 'V',
    TM = ('T' << 8) | 'M',
    UC = ('U' << 8) | 'C',
    UI = ('U' << 8) | 'I',
    UL = ('U' << 8) | 'L',
    UN = ('U' << 8) | 'N',
    UR = ('U' << 8) | 'R',
    US = ('U' << 8) | 'S',
    UT = ('U' << 8) | 'T',
    UV = ('U' << 8) | 'V',
}

/// <summary>What the standard says of each <see cref="Vr"/>.</summary>
public static class VrTraits
{
    /// <summary>True when the two letters are a VR of PS3.5 Table 6.2-1.</summary>
    public static bool IsKnown(this Vr vr) => vr.IsText() || vr.HasLongHeader()
        || vr is Vr.AT or Vr.FD or Vr.FL or Vr.SL or Vr.SS or Vr.UL or Vr.US;

    /// <summary>True for VRs whose Explicit VR header has two reserved bytes and a 32-bit length (PS3.5 7.1.2).</summary>
    public static bool HasLongHeader(this Vr vr) => vr is Vr.OB or Vr.OD or Vr.OF or Vr.OL or Vr.OV or Vr.OW
        or Vr.SQ or Vr.SV or Vr.UC or Vr.UN or Vr.UR or Vr.UT or Vr.UV;

    /// <summary>True when the value is characters; numbers written as text (DS, IS) and dates included.</summary>
    public static bool IsText(this Vr vr) => vr is Vr.AE or Vr.AS or Vr.CS or Vr.DA or Vr.DS or Vr.DT or Vr.IS or Vr.LO
        or Vr.LT or Vr.PN or Vr.SH or Vr.ST or Vr.TM or Vr.UC or Vr.UI or Vr.UR or Vr.UT;

    /// <summary>True for the VRs that (0008,0005) Specific Character Set affects (PS3.5 6.1.2.3).</summary>
    public static bool IsAffectedByCharacterSet(this Vr vr) =>
        vr is Vr.LO or Vr.LT or Vr.PN or Vr.SH or Vr.ST or Vr.UC or Vr.UT;

    /// <summary>True when a backslash separates values; false for LT, ST, UT and UR, where it is text (PS3.5 6.4).</summary>
    public static bool AllowsMultipleText(this Vr vr) => vr.IsText() && vr is not (Vr.LT or Vr.ST or Vr.UT or Vr.UR);

    /// <summary>The byte that makes an odd value even: NUL for UI, OB and UN, a space for text (PS3.5 6.2).</summary>
    public static byte PaddingByte(this Vr vr) => vr.IsText() && vr != Vr.UI ? (byte)' ' : (byte)0;

    /// <summary>Bytes of one number, 1 for bytes and text, and for AT 2 (each half is swapped by itself, PS3.5 7.3).</summary>
    public static int SwapUnit(this Vr vr) => vr switch
    {
        Vr.US or Vr.SS or Vr.OW or Vr.AT => 2,
        Vr.UL or Vr.SL or Vr.FL or Vr.OL or Vr.OF => 4,
        Vr.FD or Vr.OD or Vr.OV or Vr.SV or Vr.UV => 8,
        _ => 1,
    };

    /// <summary>The two letters.</summary>
    public static string Letters(this Vr vr) => string.Create(2, vr, static (span, v) =>
    {
        span[0] = (char)((ushort)v >> 8);
        span[1] = (char)((ushort)v & 0xFF);
    });
}
