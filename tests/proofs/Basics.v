(* Steps that several proofs share: rates of change, the function phi1, sums of squares, choices by name. *)
From Coq Require Import Reals String Lra Psatz.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters.
Open Scope R_scope.

(* An equation f' = v says two things: f has a derivative, and it is v. *)
Lemma rate : forall (f : R -> R) (t v : R),
  ex_derive f t /\ Derive f t = v <-> is_derive f t v.
Proof.
  intros f t v; split.
  - intros [Hf <-]; now apply Derive_correct.
  - intros Hf; split; [now exists v | now apply is_derive_unique].
Qed.

(* The same function, written otherwise, has the same rate. *)
Lemma rate_as : forall (f g : R -> R) (t v v' : R),
  is_derive g t v' -> (forall t', g t' = f t') -> v' = v -> is_derive f t v.
Proof. intros f g t v v' Hg E <-; now apply (is_derive_ext g). Qed.

(* The same function near a moment, written otherwise, has the same rate there. *)
Lemma rate_near : forall (f g : R -> R) (t v v' : R),
  is_derive g t v' -> locally t (fun t' => g t' = f t') -> v' = v -> is_derive f t v.
Proof. intros f g t v v' Hg E <-; now apply (is_derive_ext_loc g). Qed.

(* What has no rate of change does not change. *)
Lemma constant : forall (f : R -> R) T,
  (forall t, 0 <= t <= T -> is_derive f t 0) -> 0 <= T -> f T = f 0.
Proof.
  intros f T Hf [HT | <-]; [ | reflexivity].
  symmetry; now apply (eq_is_derive f 0 T).
Qed.

(* What has no negative rate of change does not fall. *)
Lemma rising : forall (f f' : R -> R) T,
  (forall t, 0 <= t <= T -> is_derive f t (f' t)) ->
  (forall t, 0 <= t <= T -> 0 <= f' t) -> 0 <= T -> f 0 <= f T.
Proof.
  intros f f' T Hf Hpos HT.
  destruct (MVT_gen f 0 T f') as [at_ [Hat E]].
  - rewrite Rmin_left, Rmax_right by lra; intros t Ht; apply Hf; lra.
  - rewrite Rmin_left, Rmax_right by lra; intros t Ht.
    apply continuity_pt_filterlim, (ex_derive_continuous f t).
    exists (f' t); now apply Hf.
  - rewrite Rmin_left, Rmax_right in Hat by lra.
    specialize (Hpos at_ Hat); nra.
Qed.

(* What is continuous until T is bounded until T. *)
Lemma bounded : forall (f : R -> R) (T : R), 0 <= T ->
  (forall t, 0 <= t <= T -> continuity_pt f t) ->
  exists B, 0 <= B /\ forall t, 0 <= t <= T -> Rabs (f t) <= B.
Proof.
  intros f T HT Hf.
  destruct (continuity_ab_maj f 0 T HT Hf) as (up & Hup & _).
  destruct (continuity_ab_min f 0 T HT Hf) as (down & Hdown & _).
  exists (Rabs (f up) + Rabs (f down)); split.
  - generalize (Rabs_pos (f up)) (Rabs_pos (f down)); lra.
  - intros t Ht; specialize (Hup t Ht); specialize (Hdown t Ht).
    generalize (Rle_abs (f up)) (Rle_abs (- f down)) (Rabs_pos (f up)) (Rabs_pos (f down)).
    rewrite Rabs_Ropp; intros; apply Rabs_le; lra.
Qed.

(* Squares whose sum is not positive are squares of zero. *)
Lemma squares_vanish : forall X Y Z : R, X ^ 2 + Y ^ 2 + Z ^ 2 <= 0 -> X = 0 /\ Y = 0 /\ Z = 0.
Proof.
  intros X Y Z H.
  generalize (pow2_ge_0 X) (pow2_ge_0 Y) (pow2_ge_0 Z); intros.
  repeat split; apply Rsqr_0_uniq; unfold Rsqr; lra.
Qed.

(* phi1 is one at zero, ... *)
Lemma phi1_at_0 : phi1 0 = 1.
Proof. unfold phi1; now destruct (Req_EM_T 0 0). Qed.

(* ... and elsewhere the quotient that it stands for. *)
Lemma phi1_quotient : forall z, z <> 0 -> phi1 z = (exp z - 1) / z.
Proof. intros z Hz; unfold phi1; now destruct (Req_EM_T z 0). Qed.

(* t phi1(k t) is the integral of exp(k t): its rate is exp(k t) for every k, zero included. *)
Lemma phi1_rate : forall k t, is_derive (fun t => t * phi1 (k * t)) t (exp (k * t)).
Proof.
  intros k t; destruct (Req_EM_T k 0) as [-> | Hk].
  - apply (rate_as _ (fun t => t) t _ 1).
    + auto_derive; auto.
    + intros t'; rewrite Rmult_0_l, phi1_at_0; ring.
    + now rewrite Rmult_0_l, exp_0.
  - apply (rate_as _ (fun t => (exp (k * t) - 1) / k) t _ (exp (k * t))).
    + auto_derive; auto; field; auto.
    + intros t'; destruct (Req_EM_T t' 0) as [-> | Ht'].
      * rewrite Rmult_0_r, exp_0; field; auto.
      * rewrite phi1_quotient by (now apply Rmult_integral_contrapositive_currified).
        field; auto.
    + reflexivity.
Qed.

(* t phi1(k t) is not negative from t = 0 on. *)
Lemma phi1_nonnegative : forall k t, 0 <= t -> 0 <= t * phi1 (k * t).
Proof.
  intros k t Ht.
  replace 0 with (0 * phi1 (k * 0)) by ring.
  apply (rising (fun t => t * phi1 (k * t)) (fun t => exp (k * t))); auto.
  - intros; apply phi1_rate.
  - intros; left; apply exp_pos.
Qed.

(* The exponential of minus z is one over that of z. *)
Lemma exp_minus : forall z, exp (- z) = / exp z.
Proof. exact exp_Ropp. Qed.

(* The exponential of twice z is the square of that of z. *)
Lemma exp_twice : forall z, exp (2 * z) = exp z ^ 2.
Proof. intros z; replace (2 * z) with (z + z) by ring; rewrite exp_plus; ring. Qed.

(* The square of s in (E5), from the targets' distance D, with X for ||dx||^2. *)
Lemma s_squared : forall D X h y : R, 0 <= D -> 0 < X -> 0 < h -> 0 < y ->
  (sqrt D * sqrt X / (2 * sqrt h * sqrt y)) ^ 2 = D * X / (4 * h * y).
Proof.
  intros D X h y HD HX Hh Hy.
  assert (0 < sqrt h) by now apply sqrt_lt_R0.
  assert (0 < sqrt y) by now apply sqrt_lt_R0.
  replace ((sqrt D * sqrt X / (2 * sqrt h * sqrt y)) ^ 2)
    with (sqrt D ^ 2 * sqrt X ^ 2 / (4 * sqrt h ^ 2 * sqrt y ^ 2)) by (field; lra).
  now rewrite !pow2_sqrt by lra.
Qed.

(* Puts what is known of rates of change into a goal that auto_derive has left. *)
Ltac known_rates :=
  repeat match goal with
  | H : is_derive ?f ?t ?v |- context [Derive ?g ?t] =>
      unify f g; replace (Derive g t) with v by (symmetry; apply is_derive_unique; exact H)
  end.

(* Splits what auto_derive asks for, and finds the derivatives that are known. *)
Ltac derivable := repeat split; try (eexists; eassumption); auto.

(* A choice by name, with another value for one of the names. *)
Definition but {X : Type} (name : string) (value : X) (chosen : string -> X) : string -> X :=
  fun k => if String.eqb k name then value else chosen k.
